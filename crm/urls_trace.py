"""The trace page, impacts and recall drills, under /trace/; part of ``crm.urls``."""

from django.urls import path

from crm.views import drills, impact, trace

urlpatterns = [
    path("", trace.trace, name="trace"),
    path("<int:pk>/", trace.trace_thing, name="trace-thing"),
    path("<int:pk>/graph/", trace.trace_graph, name="trace-graph"),
    path("<int:pk>/impact/", impact.impact, name="impact"),
    path("<int:pk>/impact/hold/", impact.impact_hold, name="impact-hold"),
    path(
        "<int:pk>/impact/nonconformance/",
        impact.impact_nonconformance,
        name="impact-nonconformance",
    ),
    path("<int:pk>/impact/files/<slug:kind>/", impact.impact_file, name="impact-file"),
    path("suspects/", impact.impact_cause, name="impact-cause"),
    path("suspects/hold/", impact.impact_cause_hold, name="impact-cause-hold"),
    path(
        "suspects/nonconformance/",
        impact.impact_cause_nonconformance,
        name="impact-cause-nonconformance",
    ),
    path("suspects/files/<slug:kind>/", impact.impact_cause_file, name="impact-cause-file"),
    path("containments/<int:pk>/release/", impact.containment_release, name="containment-release"),
    path("shared/", trace.trace_shared, name="trace-shared"),
    path("drills/", drills.drill_list, name="drill-list"),
    path("drills/start/", drills.drill_start, name="drill-start"),
    path("drills/<int:pk>/", drills.drill_detail, name="drill-detail"),
    path("drills/<int:pk>/finish/", drills.drill_finish, name="drill-finish"),
]
