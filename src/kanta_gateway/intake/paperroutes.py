"""Papers over HTTP, for those who answer for the processing or oversee it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Query, Response

from kanta_gateway.intake.api import XHTML, Body, IdentifiedCaller, Language, Service_, answer
from kanta_gateway.papers.template import LANGUAGES

router = APIRouter()
MEDIA = {
    "html": XHTML,
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}


class Form(StrEnum):
    """How a paper is written."""

    DOCX = "docx"
    HTML = "html"


Of = Annotated[str, Query(max_length=400, description="OID or contract that it is about; left out: the installation.")]
In = Annotated[str, Query(pattern=f"^({'|'.join(LANGUAGES)})$", description="fi, sv or en.")]


@router.get("/v1/papers", summary="Papers of the configuration")
def list_papers(caller: IdentifiedCaller, service: Service_, language: Language) -> Response:
    """Every paper that the caller may have."""
    return answer(service.papers.listed(caller, language))


@router.post("/v1/papers/checks", summary="Whether a paper is up to date")
def check_paper(caller: IdentifiedCaller, body: Body, service: Service_) -> Response:
    """The parts of a paper that have changed since it was made, and whether the file is as it was made."""
    return answer(service.papers.check(caller, body))


@router.get("/v1/papers/{paper}", summary="One paper")
def make_paper(
    paper: str, caller: IdentifiedCaller, service: Service_, of: Of = "", language: In = "fi", form: Form = Form.HTML
) -> Response:
    """The paper as it follows from the configuration now, as a page or a Word document."""
    content = service.papers.make(caller, paper, of, language, form.value)
    name = f"{paper}.{language}.{form.value}"
    headers = {"content-disposition": f'attachment; filename="{name}"'} if form is Form.DOCX else {}
    return Response(content, media_type=MEDIA[form.value], headers=headers)
