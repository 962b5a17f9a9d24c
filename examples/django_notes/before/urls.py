"""The view as it was: the last writer wins, unseen."""

import json

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import path
from django.views.decorators.http import require_http_methods

from before.models import Note


@require_http_methods(["GET", "PUT"])
def note(request: HttpRequest, number: int) -> HttpResponse:
    """Return or replace a note."""
    if request.method == "PUT":
        Note.objects.update_or_create(pk=number, defaults={"text": json.loads(request.body)["text"]})
    return JsonResponse({"text": get_object_or_404(Note, pk=number).text})


urlpatterns = [path("notes/<int:number>", note)]
