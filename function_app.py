"""The triggers of the Function App: understand the message, make one call, answer.

What they call is imported when the first call comes, so that the host indexes the app quickly.
"""

import json
import logging
import os

import azure.functions as func

SCHEDULE = "0 */5 * * * *"
"""Every five minutes, unless the app setting RECONCILER_SCHEDULE says otherwise."""

# They log every request that they send at the level of the app's own words.
for name in ("azure", "httpx"):
    logging.getLogger(name).setLevel(logging.WARNING)
app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)


@app.timer_trigger(
    arg_name="timer",
    schedule="%RECONCILER_SCHEDULE%" if os.environ.get("RECONCILER_SCHEDULE") else SCHEDULE,
    use_monitor=True,
)
async def sweep(timer: func.TimerRequest) -> None:
    """Look after everything, whether or not anybody asked."""
    from reconciler.app import service

    await service().sweep()


@app.queue_trigger(arg_name="message", queue_name="reconcile", connection="AzureWebJobsStorage")
async def work(message: func.QueueMessage) -> None:
    """Do what a message asks for."""
    from reconciler.app import service

    await service().handle(read(message))


@app.queue_trigger(
    arg_name="message", queue_name="reconcile-poison", connection="AzureWebJobsStorage"
)
async def poison(message: func.QueueMessage) -> None:
    """Close what nobody could do."""
    from reconciler.app import service

    await service().poisoned(read(message))


@app.route("reconcile", methods=["POST"])
async def reconcile(req: func.HttpRequest) -> func.HttpResponse:
    return await answer("reconcile", req)


@app.route("runs", methods=["GET"])
async def runs(req: func.HttpRequest) -> func.HttpResponse:
    return await answer("runs", req)


@app.route("runs/{id}", methods=["GET"])
async def run(req: func.HttpRequest) -> func.HttpResponse:
    return await answer("run", req)


@app.route("runs/{id}/cancel", methods=["POST"])
async def cancel(req: func.HttpRequest) -> func.HttpResponse:
    return await answer("cancel", req)


@app.route("environments", methods=["GET"])
async def environments(req: func.HttpRequest) -> func.HttpResponse:
    return await answer("environments", req)


# No key: the forge's signature or password is one, and no address with a key in it lies around in
# the settings of a repository.
@app.route("webhooks/{forge}", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
async def webhook(req: func.HttpRequest) -> func.HttpResponse:
    """``webhooks/github`` and ``webhooks/azuredevops``."""
    return await answer("webhook", req)


@app.route("health", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
async def health(req: func.HttpRequest) -> func.HttpResponse:
    from reconciler import __version__

    return func.HttpResponse(
        json.dumps({"status": "alive", "version": __version__}), mimetype="application/json"
    )


async def answer(route: str, req: func.HttpRequest) -> func.HttpResponse:
    """What ``reconciler.http`` answers to a request, whatever goes wrong."""
    from reconciler import http
    from reconciler.app import service

    request = http.Request(
        req.url, dict(req.params), dict(req.route_params), req.get_body(), dict(req.headers)
    )
    found = await http.answer(route, service, request)
    return func.HttpResponse(
        found.text,
        status_code=found.status,
        headers=dict(found.headers),
        mimetype=found.content_type,
    )


def read(message: func.QueueMessage) -> dict[str, str]:
    """A message's JSON; nothing when it is none, which the service then says."""
    try:
        found = json.loads(message.get_body())
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
