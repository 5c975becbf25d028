"""Bodies that the API takes and gives for scenarios and edits."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from aps.enums import RunKind, RunState
from aps.services import changes
from common.api import StrictSerializer

# Kinds that a program may make by itself; a draft begins with its first edit, a rush with its
# request.
OPEN_KINDS = [RunKind.WHAT_IF, RunKind.REPAIR]


@extend_schema_field(
    {
        "type": "object",
        "required": ["kind"],
        "properties": {"kind": {"type": "string", "enum": list(changes.KINDS)}},
        "additionalProperties": True,
        "description": "A change over the live plan; the other fields depend on its kind.",
    }
)
class ChangeIn(serializers.JSONField):
    """One change, as ``aps.services.changes`` reads it."""

    def to_internal_value(self, data: Any) -> Any:
        value = super().to_internal_value(data)
        try:
            changes.parse(value)
        except changes.CannotRead as error:
            raise serializers.ValidationError(str(error)) from error
        return value


class ScenarioIn(StrictSerializer):
    name = serializers.CharField(max_length=80, required=False, allow_blank=True)
    kind = serializers.ChoiceField(
        choices=[(kind.value, kind.label) for kind in OPEN_KINDS], required=False
    )
    changes = serializers.ListField(child=ChangeIn(), max_length=200)


class ScenarioReasonIn(StrictSerializer):
    reason = serializers.CharField(max_length=300, required=False, allow_blank=True)


class ScenarioOut(serializers.Serializer[Any]):
    """A scenario; ``comparison`` is filled once it is solved."""

    id = serializers.IntegerField(source="pk")
    name = serializers.CharField()
    kind = serializers.ChoiceField(choices=RunKind.choices)
    status = serializers.ChoiceField(source="state", choices=RunState.choices)
    version = serializers.IntegerField(allow_null=True)
    base_version = serializers.IntegerField(allow_null=True)
    requested_by = serializers.CharField(source="requested_by.username", default=None)
    requested_at = serializers.DateTimeField()
    solved_at = serializers.DateTimeField(allow_null=True)
    error = serializers.CharField(allow_blank=True)
    progress = serializers.DictField()
    figures = serializers.DictField()


class ScenarioDetailOut(ScenarioOut):
    changes = serializers.SerializerMethodField()
    comparison = serializers.DictField()

    def get_changes(self, run: Any) -> list[dict[str, Any]]:
        """The changes that count, each with its sentence."""
        return [{**row, "text": changes.parse(row).describe()} for row in run.changes[: run.cursor]]


class EditIn(StrictSerializer):
    """A step: a ``change``, or undo, redo, rebase, publish or discard the draft."""

    action = serializers.ChoiceField(
        choices=["apply", "undo", "redo", "rebase", "publish", "discard"], required=False
    )
    change = ChangeIn(required=False)
    # The version the planner was looking at when the draft began.
    base_version = serializers.IntegerField(min_value=0, required=False)

    def validate(self, attrs: Any) -> Any:
        if attrs.get("action", "apply") == "apply" and "change" not in attrs:
            raise serializers.ValidationError({"change": [self.error_messages["required"]]})
        return attrs


class PlacementOut(serializers.Serializer[Any]):
    operation = serializers.IntegerField()
    work_unit = serializers.CharField(allow_blank=True)
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()


class EditOut(serializers.Serializer[Any]):
    """The draft after a step; ``placements`` are what this step moved."""

    scenario = ScenarioOut()
    violations = serializers.ListField(child=serializers.CharField())
    placements = PlacementOut(many=True)
    removed = serializers.ListField(child=serializers.IntegerField())
    can_undo = serializers.BooleanField()
    can_redo = serializers.BooleanField()
    comparison = serializers.DictField()
