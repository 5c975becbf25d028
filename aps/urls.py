"""Pages of planning."""

from django.urls import URLPattern, URLResolver, path

from aps.views import board, board_data, capacity, edits, panel, runs, tree, why

app_name = "aps"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", board.board, name="board"),
    path("data/", board_data.board_data, name="board-data"),
    path("panel/", panel.board_panel, name="board-panel"),
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
    path("again/", board.plan_again, name="run-create"),
    path("runs/", runs.run_list, name="run-list"),
    path("runs/<int:pk>/", runs.run_detail, name="run-detail"),
]
