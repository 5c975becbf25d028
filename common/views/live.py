"""Server-sent events under /events/."""

from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.views.decorators.http import require_GET

from common import live
from common.access import AuthenticatedRequest, requires

RETRY_SECONDS = 60


@requires("common.use")
@require_GET
def events(request: AuthenticatedRequest) -> HttpResponseBase:
    """``?topics=floor:1,andon:1``: a stream that says which of them changed.

    400 for a topic that does not exist, 403 for one of others, 204 where this process holds as
    many streams as it may: the browser then gives up quietly and the page asks every ten seconds.
    """
    try:
        topics = live.topics_of(request.GET.get("topics", ""))
    except live.UnknownTopic:
        return HttpResponse(status=400)
    if not live.may_hear(request.user, topics):
        return HttpResponse(status=403)
    return _stream(request, topics)


def _stream(request: AuthenticatedRequest, topics: list[str]) -> HttpResponseBase:
    try:
        stream = live.HUB.open(topics, request.user.pk)
    except live.Full:
        return HttpResponse(status=204, headers={"Retry-After": str(RETRY_SECONDS)})
    return StreamingHttpResponse(
        stream,
        content_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )
