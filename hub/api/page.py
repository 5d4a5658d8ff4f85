"""The dispatchers' page as it was built, or a word about how to build it."""

from importlib.resources import files
from pathlib import Path

from fastapi import FastAPI
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

NOT_BUILT = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Carebell</title>
<h1>The page has not been built</h1>
<p>The hub runs, and its API answers under <code>/api/v1</code>
(<a href="/openapi.json">description</a>).</p>
<p>In a clone of the source, <code>make setup</code> builds the page. An installed package brings
it along: install it again.</p>
</html>
"""


def built_page() -> Path:
    """Where the build leaves the page: beside this package, in a clone as in a wheel."""
    return Path(str(files("hub"))) / "web" / "dist"


class Page(StaticFiles):
    """Named parts never change, so browsers keep them; the page itself is asked for every time."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """A file of the build."""
        response = await super().get_response(path, scope)
        lasting = path.startswith("assets/") and response.status_code == 200
        response.headers["Cache-Control"] = (
            "public, max-age=31536000, immutable" if lasting else "no-cache"
        )
        return response


def serve_page(app: FastAPI, folder: Path | None) -> None:
    """Answer everything no route wants. To be called last."""
    dist = folder or built_page()
    if (dist / "index.html").is_file():
        app.mount("/", Page(directory=dist, html=True), name="page")
        return

    @app.get("/", include_in_schema=False)
    async def not_built() -> HTMLResponse:
        return HTMLResponse(NOT_BUILT, status_code=503)
