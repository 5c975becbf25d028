"""The administrators' pages of the job ledger; included by common.urls under jobs/."""

from django.urls import path

from common.views import jobs

urlpatterns = [
    path("", jobs.job_list, name="job-list"),
    path("replay-dead/", jobs.job_replay_dead, name="job-replay-dead"),
    path("<int:pk>/", jobs.job_detail, name="job-detail"),
    path("<int:pk>/replay/", jobs.job_replay, name="job-replay"),
    path("<int:pk>/cancel/", jobs.job_cancel, name="job-cancel"),
]
