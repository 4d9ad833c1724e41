"""Autoscale settings: how many instances a deployment has, by metric and by clock.

https://learn.microsoft.com/azure/templates/microsoft.insights/autoscalesettings; with online
deployments: Azure/azureml-examples, cli/deploy-moe-autoscale.sh; that an absent ``enabled`` means
off: recorded traffic of Azure/azure-service-operator and Azure/azure-cli.
"""

from reconciler.core.kinds.kind import Document, Kind, Part
from reconciler.core.kinds.shared import in_resource_group, parent_name
from reconciler.core.schema import (
    Field,
    Names,
    Scalar,
    arm_id,
    array,
    boolean,
    default,
    described,
    duration,
    immutable,
    integer,
    location,
    mapping,
    number,
    obj,
    required,
    secret,
    tags,
    text,
)

TARGETS = ("OnlineDeployment", "OnlineEndpoint")


def _count() -> Field:
    """A number that this service wants as a string."""
    return Field(shape=Scalar(pattern=r"^\d+$", same="number"))


def _instant() -> Field:
    return text(same="instant")


METRIC = obj(
    metricName=described("CpuUtilizationPercentage of a deployment, for one.", required(text())),
    metricResourceUri=required(arm_id(*TARGETS)),
    metricNamespace=text(same="caseless"),
    metricResourceLocation=text(same="location"),
    timeGrain=required(duration()),
    statistic=required(text("Average", "Min", "Max", "Sum", "Count", closed=True)),
    timeWindow=required(duration()),
    timeAggregation=required(
        text("Average", "Minimum", "Maximum", "Total", "Count", "Last", closed=True)
    ),
    operator=required(
        text(
            "Equals",
            "NotEquals",
            "GreaterThan",
            "GreaterThanOrEqual",
            "LessThan",
            "LessThanOrEqual",
            closed=True,
        )
    ),
    threshold=required(number()),
    dividePerInstance=default(False, boolean()),
    dimensions=array(
        obj(
            DimensionName=required(text()),
            Operator=required(text("Equals", "NotEquals")),
            Values=required(array(text(), key=("",))),
        ),
        key=("DimensionName",),
    ),
)

ACTION = obj(
    direction=required(text("None", "Increase", "Decrease", closed=True)),
    type=required(
        text(
            "ChangeCount",
            "PercentChangeCount",
            "ExactCount",
            "ServiceAllowedNextValue",
            closed=True,
        )
    ),
    value=default("1", _count()),
    cooldown=required(duration()),
)

PROFILES = array(
    obj(
        name=required(text()),
        capacity=required(
            obj(minimum=required(_count()), maximum=required(_count()), default=required(_count()))
        ),
        rules=required(array(obj(metricTrigger=required(METRIC), scaleAction=required(ACTION)))),
        fixedDate=obj(timeZone=text(), start=required(_instant()), end=required(_instant())),
        recurrence=obj(
            frequency=required(
                text(
                    "None", "Second", "Minute", "Hour", "Day", "Week", "Month", "Year", closed=True
                )
            ),
            schedule=required(
                obj(
                    timeZone=required(text()),
                    days=required(array(text(same="caseless"), key=("",))),
                    hours=required(array(integer(), key=("",))),
                    minutes=required(array(integer(), key=("",))),
                )
            ),
        ),
    ),
    key=("name",),
)

NOTIFICATIONS = array(
    obj(
        operation=required(text("Scale", closed=True)),
        email=obj(
            sendToSubscriptionAdministrator=default(False, boolean()),
            sendToSubscriptionCoAdministrators=default(False, boolean()),
            customEmails=array(text(same="caseless"), key=("",)),
        ),
        # An address of a webhook often carries its key.
        webhooks=array(obj(serviceUri=secret(), properties=mapping(text(), shared=False))),
    )
)

COMMON = {
    "profiles": required(PROFILES),
    "notifications": NOTIFICATIONS,
    "enabled": described("The service takes an absent one for false.", default(False, boolean())),
    "predictiveAutoscalePolicy": obj(
        scaleMode=required(
            default("Disabled", text("Disabled", "ForecastOnly", "Enabled", closed=True))
        ),
        scaleLookAheadTime=duration(),
    ),
}

AUTOSCALE = Kind(
    name="Autoscale",
    title="Autoscale setting",
    doc="Rules that change the number of instances; let the deployment's sku.capacity to it.",
    places=in_resource_group("Microsoft.Insights/autoscaleSettings", "2022-10-01"),
    names=Names(longest=260, hint="1 to 260 characters"),
    fields={
        "location": location(),
        "tags": tags(),
        **COMMON,
        "targetResourceUri": described("What it scales.", immutable(arm_id(*TARGETS))),
        "targetResourceLocation": text(same="location"),
        "name": text(),
    },
    envelope=frozenset({"location", "tags"}),
    typical_s=2,
)


def autoscale_document(document: Document) -> Document:
    """The setting that ``autoscale:`` inside an online deployment stands for, switched on."""
    spec, name = document["spec"], document["metadata"]["name"]
    endpoint = parent_name(spec.get("endpoint"))
    target = "/".join(("OnlineDeployment", *endpoint, name))
    return {
        "apiVersion": document.get("apiVersion"),
        "kind": "Autoscale",
        "metadata": {"name": "-".join((*endpoint, name, "autoscale"))},
        "spec": {"targetResourceUri": target, "enabled": True, **spec["autoscale"]},
    }


AUTOSCALE_PART = Part(
    field="autoscale",
    shape=described("An Autoscale for this deployment, switched on.", obj(**COMMON)),
    make=autoscale_document,
)
