"""Pages of planning."""

from django.urls import URLPattern, URLResolver, path

from aps.views import (
    board,
    board_data,
    capacity,
    edits,
    hours,
    panel,
    runs,
    scenario_form,
    scenarios,
    tree,
    why,
)

app_name = "aps"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", board.board, name="board"),
    path("data/", board_data.board_data, name="board-data"),
    path("states/", board_data.board_states, name="board-states"),
    path("panel/", panel.board_panel, name="board-panel"),
    path("panel/why/", panel.panel_why, name="board-panel-why"),
    path("tree/", tree.board_tree, name="board-tree"),
    path("why/", why.why_late, name="order-why"),
    path("edits/", edits.draft, name="draft-change"),
    path("edits/undo/", edits.undo, name="draft-undo"),
    path("edits/redo/", edits.redo, name="draft-redo"),
    path("edits/rebase/", edits.rebase, name="draft-rebase"),
    path("edits/publish/", edits.publish, name="draft-publish"),
    path("edits/discard/", edits.discard, name="draft-discard"),
    path("edits/eligible/", edits.eligible, name="draft-eligible"),
    path("capacity/", capacity.capacity, name="capacity"),
    path("hours/", hours.hours, name="hours"),
    path("hours/moves/", hours.hours_moves, name="hours-moves"),
    path("hours/<int:pk>/remove/", hours.hours_remove, name="hours-remove"),
    path("again/", board.plan_again, name="run-create"),
    path("scenarios/", scenarios.scenario_list, name="scenario-list"),
    path("scenarios/new/", scenario_form.scenario_create, name="scenario-create"),
    path("scenarios/<int:pk>/", scenarios.scenario_detail, name="scenario-detail"),
    path("scenarios/<int:pk>/change/", scenario_form.scenario_change, name="scenario-change"),
    path("scenarios/<int:pk>/publish/", scenarios.scenario_publish, name="scenario-publish"),
    path("scenarios/<int:pk>/reject/", scenarios.scenario_reject, name="scenario-reject"),
    path("scenarios/<int:pk>/rebase/", scenarios.scenario_rebase, name="scenario-rebase"),
    path("scenarios/<int:pk>/copy/", scenarios.scenario_copy, name="scenario-copy"),
    path("compare/", scenarios.compare, name="plan-compare"),
    path("runs/", runs.run_list, name="run-list"),
    path("runs/<int:pk>/", runs.run_detail, name="run-detail"),
]
