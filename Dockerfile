# The Functions host with the Python 3.13 worker, and git, which the stock image does not have.
# A build that has to be repeatable names a digest: --build-arg BASE=…@sha256:…
# https://learn.microsoft.com/azure/azure-functions/functions-how-to-custom-container
ARG BASE=mcr.microsoft.com/azure-functions/python:4-python3.13
FROM ${BASE}

RUN apt-get update \
    && apt-get install --yes --no-install-recommends git openssh-client \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --create-home --uid 10001 reconciler

ENV AzureWebJobsScriptRoot=/home/site/wwwroot \
    AzureFunctionsJobHost__Logging__Console__IsEnabled=true \
    PYTHONDONTWRITEBYTECODE=1

# Every version is pinned in the file, dependencies of dependencies too: nothing is resolved anew.
COPY requirements.txt /tmp/requirements.txt
RUN pip install --no-cache-dir --no-deps --requirement /tmp/requirements.txt \
    && rm /tmp/requirements.txt

COPY function_app.py host.json /home/site/wwwroot/
COPY reconciler /home/site/wwwroot/reconciler

# The base image starts the host as root; --build-arg RUN_AS=reconciler runs it as a plain user.
ARG RUN_AS=root
USER ${RUN_AS}

EXPOSE 80
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s CMD \
    ["python", "-c", "import urllib.request as r; r.urlopen('http://localhost:80/api/health', timeout=4)"]
