"""The views with versions: a write that does not know the current version is refused."""

import json
import uuid

from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views import View

from ifmatch import Representation
from ifmatch.server.django import PreconditionMixin, check
from notes.models import Note

ATTEMPTS = 20


def state_of(note: Note | None) -> Representation | None:
    """Return the validators of a note."""
    return None if note is None else Representation(etag=f'"{note.version}"')


class NoteView(PreconditionMixin, View):
    """Read and replace a note. Mixins that authenticate stand in front of PreconditionMixin."""

    http_method_names = ("get", "head", "put", "options")
    precondition_media_types = ("application/json",)
    note: Note | None = None

    def get_current(self, _request: HttpRequest, number: int) -> Representation | None:
        """Look the current version of a note up."""
        self.note = Note.objects.filter(pk=number).first()
        return state_of(self.note)

    def get(self, _request: HttpRequest, number: int) -> HttpResponse:
        """Return a note; the ETag is added."""
        if self.note is None:
            return HttpResponse(status=404)
        return JsonResponse({"number": number, "text": self.note.text})

    def put(self, request: HttpRequest, number: int) -> HttpResponse:
        """Replace or create a note, on exactly the version that the condition was compared with."""
        text = json.loads(request.body)["text"]
        for _attempt in range(ATTEMPTS):
            version = uuid.uuid4()
            if self.stored(number, text, version):
                return JsonResponse({"number": number, "text": text}, headers={"ETag": f'"{version}"'})
            # Somebody was faster: compare again, with what is there now. A false condition leaves as 412.
            check(request, lambda: self.get_current(request, number), again=True)
        return HttpResponse(status=503, headers={"Retry-After": "1"})

    def stored(self, number: int, text: str, version: uuid.UUID) -> bool:
        """Compare and set in one statement; False when somebody was faster."""
        if self.note is None:
            try:
                with transaction.atomic():
                    Note.objects.create(pk=number, text=text, version=version)
            except IntegrityError:
                return False
            return True
        known = Note.objects.filter(pk=number, version=self.note.version)
        return known.update(text=text, version=version) == 1
