"""Routes."""

from django.urls import path

from notes.views import NoteView

urlpatterns = [path("notes/<int:number>", NoteView.as_view())]
