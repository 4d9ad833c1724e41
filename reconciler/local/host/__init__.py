"""A Functions host for one machine: runs a project on the real Python worker library.

It listens for HTTP, timers and queue messages as the Azure Functions host does, as far as the
documentation and the sources of the host and of its extensions say, and calls the functions
through ``azure-functions-runtime``, the library of the Python 3.13 worker. That library keeps its
state in modules, so that a process can host one project: the host is a process of its own.

https://github.com/Azure/azure-functions-host
https://github.com/Azure/azure-webjobs-sdk-extensions (timers)
https://github.com/Azure/azure-sdk-for-net (Microsoft.Azure.WebJobs.Extensions.Storage.Queues)
"""
