"""The Kubernetes client for Python against KubeDiag: one function a test, run as `dynamic_client.py FUNCTION NAMESPACE` with KUBECONFIG set."""
import json
import sys
import threading
import time

import kubernetes
from kubernetes.client.exceptions import ApiException
from kubernetes.dynamic import DynamicClient, exceptions

VERSION = "diagnosis.kubediag.org/v1"

test, namespace = sys.argv[1:]
api = kubernetes.config.new_client_from_config()
client = DynamicClient(api)


def kind(name):
    return client.resources.get(api_version=VERSION, kind=name)


def operation(name, labels=None, **processor):
    script = {"script": "echo fine", "operationResultKey": "found"}
    return {
        "apiVersion": VERSION, "kind": "Operation", "metadata": {"name": name, "labels": labels or {}},
        "spec": {"effect": "Read", "processor": {"scriptRunner": script, **processor}},
    }


def diagnosis(name, **spec):
    return {
        "apiVersion": VERSION, "kind": "Diagnosis", "metadata": {"name": name},
        "spec": {"operationSet": namespace, "nodeName": "web-01", **spec},
    }


def refused(error, function, *arguments, **named):
    """The Status with which a call is refused; anything else fails the test."""
    try:
        function(*arguments, **named)
    except error as refusal:
        status = json.loads(refusal.body)
        assert status["kind"] == "Status" and status["status"] == "Failure" and status["code"] == refusal.status, status
        return status
    raise AssertionError(f"not refused: {arguments} {named}")


def discovery():
    kinds = {
        "Operation": ("operations", ["op"], False), "OperationSet": ("operationsets", ["opset"], False),
        "Trigger": ("triggers", ["trig"], False), "CommonEvent": ("commonevents", ["ce"], True),
        "Diagnosis": ("diagnoses", ["diag"], True), "Agent": ("agents", None, False),
    }
    for name, (plural, short, namespaced) in kinds.items():
        resource = kind(name)
        assert (resource.name, resource.namespaced) == (plural, namespaced), resource
        assert short is None or resource.short_names == short, resource
        assert "kubediag" in resource.categories, resource
    assert client.resources.get(short_names=["diag"]).kind == "Diagnosis"
    version = client.version["kubernetes"]
    assert version["major"] == "1" and version["gitVersion"].endswith("+kubediag"), version


def objects():
    operations = kind("Operation")
    created = operations.create(body=operation(namespace, timeoutSeconds=30))
    assert created.metadata.generation == 1 and created.metadata.uid
    read = operations.get(name=namespace)
    assert read.to_dict() == created.to_dict()
    read.spec.processor.timeoutSeconds = 60
    replaced = operations.replace(body=read.to_dict())
    assert replaced.spec.processor.timeoutSeconds == 60 and replaced.metadata.generation == 2
    stale = refused(exceptions.ConflictError, operations.replace, body=read.to_dict())
    assert stale["reason"] == "Conflict", stale
    gone = operations.delete(name=namespace)
    assert gone.status == "Success" and gone.details.uid == created.metadata.uid, gone
    assert refused(exceptions.NotFoundError, operations.get, name=namespace)["details"]["name"] == namespace


def patches():
    operations = kind("Operation")
    operations.create(body=operation(namespace, timeoutSeconds=30))

    def patch(body, kind, **named):
        return operations.patch(body=body, name=namespace, content_type=f"application/{kind}", **named)

    merged = patch({"spec": {"effect": "Mutate"}, "metadata": {"labels": {"a": "x"}}}, "merge-patch+json")
    assert merged.spec.effect == "Mutate" and merged.metadata.labels.a == "x"
    same = patch({"spec": {"effect": "Mutate"}}, "merge-patch+json")
    assert same.metadata.resourceVersion == merged.metadata.resourceVersion, "nothing was written"
    changed = patch([{"op": "replace", "path": "/spec/processor/timeoutSeconds", "value": 5}], "json-patch+json")
    assert changed.spec.processor.timeoutSeconds == 5
    strategic = refused(ApiException, operations.patch, body={"spec": {}}, name=namespace)
    assert strategic["code"] == 415 and strategic["reason"] == "UnsupportedMediaType", strategic
    dry = patch({"spec": {"effect": "Read"}}, "merge-patch+json", dry_run="All")
    assert dry.spec.effect == "Read" and operations.get(name=namespace).spec.effect == "Mutate"


def server_side_apply():
    operations = kind("Operation")

    def apply(body, manager, force=False):
        return operations.server_side_apply(body=body, name=namespace, field_manager=manager, force_conflicts=force)

    applied = apply(operation(namespace, timeoutSeconds=30), "one")
    assert [entry.manager for entry in applied.metadata.managedFields] == ["one"]
    conflict = refused(exceptions.ConflictError, apply, operation(namespace, timeoutSeconds=60), "two")
    [cause] = conflict["details"]["causes"]
    assert cause["reason"] == "FieldManagerConflict" and cause["field"] == ".spec.processor.timeoutSeconds", conflict
    assert operations.get(name=namespace).metadata.resourceVersion == applied.metadata.resourceVersion
    taken = apply(operation(namespace, timeoutSeconds=60), "two", force=True)
    assert taken.spec.processor.timeoutSeconds == 60
    dropped = apply(operation(namespace), "two")
    assert "timeoutSeconds" not in dropped.spec.processor.to_dict()


def lists():
    operations = kind("Operation")
    for number in range(7):
        operations.create(body=operation(f"{namespace}-{number}", {"scope": namespace, "even": str(number % 2 == 0)}))
    selector = f"scope={namespace}"
    names, token = [], None
    while True:
        page = operations.get(label_selector=selector, limit=3, _continue=token)
        assert page.kind == "OperationList" and len(page["items"]) <= 3
        names += [item.metadata.name for item in page["items"]]
        token = page.metadata["continue"]
        if not token:
            break
    assert names == [f"{namespace}-{number}" for number in range(7)], names
    assert len(operations.get(label_selector=selector + ",even in (True)")["items"]) == 4
    assert len(operations.get(label_selector=selector + ",even!=True")["items"]) == 3
    assert len(operations.get(field_selector=f"metadata.name={namespace}-3")["items"]) == 1
    refused(exceptions.BadRequestError, operations.get, label_selector="a in (")
    refused(exceptions.BadRequestError, operations.get, field_selector="spec.bogus=1")
    refused(exceptions.BadRequestError, operations.get, limit=1, _continue="forged")
    operations.delete(label_selector=selector)
    assert operations.get(label_selector=selector)["items"] == []


def watch_resumes():
    operations = kind("Operation")
    start = operations.get().metadata.resourceVersion
    operations.create(body=operation(namespace, {"scope": namespace}))
    first = next(operations.watch(label_selector=f"scope={namespace}", resource_version=start, timeout=20))
    assert first["type"] == "ADDED" and first["object"].metadata.name == namespace
    # The first watch is over. What happens meanwhile is seen by the one that begins where it ended.
    body = {"metadata": {"labels": {"more": "x"}}}
    operations.patch(body=body, name=namespace, content_type="application/merge-patch+json")
    operations.delete(name=namespace)
    rest = []
    for event in operations.watch(
        label_selector=f"scope={namespace}", resource_version=first["object"].metadata.resourceVersion, timeout=20
    ):
        rest.append(event["type"])
        if event["type"] == "DELETED":
            break
    assert rest == ["MODIFIED", "DELETED"], rest


def watch_begins_with_what_there_is():
    operations = kind("Operation")
    operations.create(body=operation(f"{namespace}-a", {"scope": namespace}))
    seen = []

    def later():
        operations.create(body=operation(f"{namespace}-b", {"scope": namespace}))

    for event in operations.watch(label_selector=f"scope={namespace}", timeout=20):
        seen.append((event["type"], event["object"].metadata.name))
        if len(seen) == 1:
            threading.Thread(target=later).start()
        if len(seen) == 2:
            break
    assert seen == [("ADDED", f"{namespace}-a"), ("ADDED", f"{namespace}-b")], seen


def watch_that_is_too_old():
    try:
        next(kind("Operation").watch(resource_version="1", timeout=20))
    except ApiException as error:
        assert error.status == 410, error
    else:
        raise AssertionError("a watch from a revision that is long gone")


def watch_that_ends():
    assert list(kind("Diagnosis").watch(namespace=namespace, timeout=1)) == []


def errors():
    operations, diagnoses = kind("Operation"), kind("Diagnosis")
    operations.create(body=operation(namespace))
    exists = refused(exceptions.ConflictError, operations.create, body=operation(namespace))
    assert exists["reason"] == "AlreadyExists", exists
    bad = operation(f"{namespace}-b", timeoutSeconds=0)
    bad["spec"]["effect"] = "Nope"
    invalid = refused(exceptions.UnprocessibleEntityError, operations.create, body=bad)
    fields = {cause["field"] for cause in invalid["details"]["causes"]}
    assert {"spec.effect", "spec.processor.timeoutSeconds"} <= fields, invalid
    unknown = operation(f"{namespace}-b")
    unknown["spec"]["bogus"] = 1
    strict = refused(exceptions.BadRequestError, operations.create, body=unknown, query_params=[("fieldValidation", "Strict")])
    assert 'unknown field "spec.bogus"' in strict["message"], strict
    assert refused(exceptions.NotFoundError, diagnoses.get, name="missing", namespace=namespace)["details"]["kind"] == "diagnoses"
    api.configuration.refresh_api_key_hook = None
    api.configuration.api_key = {name: "Bearer wrong-token-0123456789" for name in api.configuration.api_key}
    assert refused(exceptions.UnauthorizedError, operations.get, name=namespace)["reason"] == "Unauthorized"


def a_whole_diagnosis():
    kind("Operation").server_side_apply(body=operation(namespace), name=namespace, field_manager="python")
    body = {"apiVersion": VERSION, "kind": "OperationSet", "metadata": {"name": namespace}, "spec": {"sequence": [namespace]}}
    kind("OperationSet").server_side_apply(body=body, name=namespace, field_manager="python")
    diagnoses = kind("Diagnosis")
    created = diagnoses.create(body=diagnosis("d"), namespace=namespace)
    phases = []
    for event in diagnoses.watch(namespace=namespace, name="d", resource_version=created.metadata.resourceVersion, timeout=30):
        status = event["object"].status
        if status and status.phase not in phases:
            phases.append(status.phase)
        if phases and phases[-1] in ("Succeeded", "Failed"):
            break
    assert phases[-1] == "Succeeded", phases
    done = diagnoses.get(name="d", namespace=namespace)
    assert done.status.operationResults["operation.found.output"] == "fine\n", done.status
    assert diagnoses.status.get(name="d", namespace=namespace).status.phase == "Succeeded"
    core = kubernetes.client.CoreV1Api(api)
    deadline = time.monotonic() + 20
    while True:  # events come behind what they tell of
        events = core.list_namespaced_event(namespace, field_selector="involvedObject.name=d")
        if "Succeeded" in [event.reason for event in events.items]:
            break
        assert time.monotonic() < deadline, events
        time.sleep(0.1)
    diagnoses.delete(name="d", namespace=namespace)


def typed_client():
    """What most programs use for kinds that are not Kubernetes' own."""
    custom = kubernetes.client.CustomObjectsApi(api)
    kinds = dict(group="diagnosis.kubediag.org", version="v1", plural="operations")
    custom.create_cluster_custom_object(body=operation(namespace, {"scope": namespace}), **kinds)
    custom.patch_cluster_custom_object(name=namespace, body={"spec": {"effect": "Mutate"}}, **kinds)
    found = custom.list_cluster_custom_object(label_selector=f"scope={namespace}", **kinds)
    assert [item["spec"]["effect"] for item in found["items"]] == ["Mutate"], found
    watch = kubernetes.watch.Watch()
    for event in watch.stream(custom.list_cluster_custom_object, label_selector=f"scope={namespace}", timeout_seconds=20, **kinds):
        assert event["type"] == "ADDED" and event["object"]["metadata"]["name"] == namespace, event
        watch.stop()
    custom.delete_cluster_custom_object(name=namespace, **kinds)
    assert kubernetes.client.VersionApi(api).get_code().major == "1"


globals()[test]()
