"""What Schemathesis cannot know of KubeDiag: watches that have to end, jobs that must be harmless, and rules that no schema can say."""

import json
import os
import re

import schemathesis

NODE = os.environ["KUBEDIAG_NODE"]


@schemathesis.serializer("text/yaml", "text/x-yaml", "text/vnd.yaml", "text/yml", "application/yaml", "application/x-yaml")
def serialize_apply(context, value):
    """As kubectl does: JSON, which is YAML."""
    return json.dumps(value).encode()


@schemathesis.hook
def before_call(context, case, kwargs):
    end_watch(case)
    name_one_job(case)
    make_job_harmless(case)
    call_one_builtin(case)


@schemathesis.check
def watch_is_lines(ctx, response, case):
    """As in Kubernetes, a watch comes as `application/json` too, an event a line; the document tells it as `application/json;stream=watch`,
    because one type has one schema there. Hence this in place of the check against the schema of a list."""
    if response.status_code != 200 or not is_watch(case):
        return
    for line in response.content.splitlines():
        event = json.loads(line)
        assert event.keys() == {"type", "object"}, "no event"
        assert event["type"] in ("ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR"), "no type of an event"
        assert event["object"]["kind"] and isinstance(event["object"]["apiVersion"], str), "no object of an event"


def is_watch(case):
    return isinstance(case.query, dict) and "watch" in case.query and str(case.query["watch"]).lower() not in ("false", "0")


def end_watch(case):
    """A watch lasts for half an hour unless it is told otherwise. One whose length is wrong is refused, and stays as it is."""
    if is_watch(case) and re.fullmatch(r"[0-9]*", str(case.query.get("timeoutSeconds", ""))):
        case.query["timeoutSeconds"] = "1"


def name_one_job(case):
    """The body is about the job of the path, and the job is for this agent, so that what is right is taken."""
    if not case.path.startswith("/api/v1/jobs/{uid}") or case.method != "PUT" or not isinstance(case.body, dict):
        return
    if isinstance(case.body.get("uid"), str):
        case.body["uid"] = case.path_parameters.get("uid", "")
    if isinstance(case.body.get("node"), str):
        case.body["node"] = NODE if case.path == "/api/v1/jobs/{uid}" else "spare"


# Built-in operations that only read, and need nothing of the machine but its /proc.
READS = [
    "loadAverage", "fileDescriptors", "pidLimits", "zombieProcesses", "uninterruptibleTasks", "deletedOpenFiles", "tcpHealth",
    "readOnlyMounts", "mountInfoCollector", "processCollector",
]


def call_one_builtin(case):
    """The list of built-in operations tells names of some that act; in place of any of them one that reads is called, by turns."""
    if case.path == "/processor/{name}" and re.fullmatch(r"[A-Za-z]+", str(case.path_parameters.get("name", ""))):
        case.path_parameters["name"] = READS[len(json.dumps(case.body, default=str)) % len(READS)]


def is_ruled_out(case, response):
    """A built-in operation that did its work and did not find what it looks for."""
    return case.path == "/processor/{name}" and response.status_code == 412 and status(response).get("kubediag.outcome") == "ruledOut"


def make_job_harmless(case):
    """Scripts do nothing, and HTTP processors are nowhere."""
    if case.path == "/api/v1/jobs/{uid}":
        disarm(case.body)


def disarm(value):
    if isinstance(value, dict):
        for name, member in value.items():
            if name == "script" and isinstance(member, str):
                value[name] = "exit 10"
            elif name == "externalAddress" and isinstance(member, str):
                value[name] = "127.0.0.1"
            elif name == "externalPort" and isinstance(member, int):
                value[name] = 9
            else:
                disarm(member)
    elif isinstance(value, list):
        for member in value:
            disarm(member)


# Why a request that fits its schema may be a 400 all the same, by what the answer says.
RULES_BEYOND_SCHEMAS = [
    # Languages of their own, whose grammar is no regular one.
    r"^labelSelector: ",
    r"^fieldSelector: ",
    r"^JSON patch, ",
    # A token is good only as the server made it.
    r"^continue key is not valid",
    r"^continue is not what an earlier page gave$",
    # So is a resource version, which Kubernetes calls opaque.
    r"^invalid resource version ",
    # To drop every dead letter is said by itself, and never by leaving out what to drop.
    r"^(say which: |all=true goes with no other parameter$)",
    # Kubernetes' rules between parameters of one request, and between its path and its body.
    r"^specifying resource version is not allowed when using continue$",
    r"^resourceVersionMatch (\"Exact\" )?is forbidden ",
    r"^sendInitialEvents (is forbidden for list|requires resourceVersionMatch=NotOlderThan)$",
    r"^resourceVersion should not be set on objects to be created$",
    r"^the (name|namespace) of the .*does not match ",
    r"^metadata\.managedFields must be nil$",
    # An apply is strict about fields, whatever fieldValidation says, as in Kubernetes.
    r"^failed to create typed patch object .*field not declared in schema",
    # The sender's own wish: fieldValidation=Strict.
    r"^strict decoding error: ",
    # Integers of JSON have no end, ours are of 64 bits.
    r"document has a malformed number or one beyond 64 bits$",
]


# Events have one of several shapes, each with members of its own that it needs.
RULES_OF_RECEIVERS = [
    r": is required( for \w+)?$",
    r": must be one of ",
    r"^Event object is invalid$",
    # A CloudEvent asks for a diagnosis, whose rules between fields no schema can say.
    r"^(\[\d+\]\.)?(node: is required, or namespace and pod$|spec\.|metadata\.)",
    # Doubles beyond the exact integers have to be sent as text.
    r" is a number that is not kept exactly; send it as text$",
    # A schema counts characters, a receiver bytes.
    r": has \d+ bytes, at most \d+ are taken$",
]


def counts_as_absent(case, failure):
    """As in Kubernetes, an empty query parameter and a null member of an object count as absent ones, whatever their type."""
    if isinstance(case.query, dict) and "" in case.query.values():
        return True
    if "became null" in failure.message or '"x-schemathesis-additional": null' in json.dumps(case.body, default=str):
        return True
    # What belongs to a uid that no object can have is nothing.
    if case.path == "/api/v1/dependents/{uid}" and "parameter `uid` in path" in failure.message:
        return True
    # An apply is about the object of its path, which it need not name again.
    if case.method == "PATCH" and "Missing required property: metadata" in failure.message:
        return True
    # The server gives a new object these, whatever the request says.
    owned = "uid|selfLink|clusterName|generation|creationTimestamp|deletionTimestamp|deletionGracePeriodSeconds|managedFields"
    if case.method == "POST" and re.search(rf"in body - metadata -> ({owned})\b", failure.message):
        return True
    member = re.search(r"([\w.-]+): Incorrect type$", failure.message.strip())
    return member is not None and None in values_of(case.body, member.group(1))


def values_of(value, name):
    if isinstance(value, dict):
        for key, member in value.items():
            if key == name and not isinstance(member, (dict, list)):
                yield member
            yield from values_of(member, name)
    elif isinstance(value, list):
        for member in value:
            yield from values_of(member, name)


# Other programs' messages. An alert must not be lost because of a member that nothing depends on, so that such a member may be anything; what
# is needed is still looked at, and a message without it is refused.
LENIENT = ("/api/v1/receivers/", "/api/v2/alerts", "/api/v1/triggers/test")


def is_told_item_by_item(case, response):
    """Intake and receivers tell of each item what became of it, so that one that is wrong does not hold up the others."""
    answer = status(response)
    return any(result["outcome"] == "rejected" for result in answer.get("results", [])) or bool(answer.get("unusable"))


def is_put_off(response):
    """The sender is to try again, and is told when: a list that is to be no older than a time to come, as in Kubernetes; and a report of an
    agent that has registered anew."""
    message = status(response).get("message", "")
    rules = [r"^Too large resource version: ", r"^the agent has registered again; send the report with its present epoch$"]
    return response.status_code in (503, 504) and "retry-after" in response.headers and any(re.search(rule, message) for rule in rules)


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """Whether a failure counts."""
    code, answer = failure.code, response.status_code
    if code == "ST202" and answer == 400:
        message = status(response).get("message", "")
        rules = RULES_BEYOND_SCHEMAS + (RULES_OF_RECEIVERS if case.path.startswith("/api/v1/receivers/") else [])
        return not any(re.search(rule, message) for rule in rules)
    if code == "ST201":
        if case.path.startswith(LENIENT):
            return False
        return not (counts_as_absent(case, failure) or is_told_item_by_item(case, response) or is_put_off(response))
    if code in ("ST101", "ST202"):
        return not (is_put_off(response) or is_ruled_out(case, response))
    # Too long comes before everything else, the method and the token too.
    if code in ("ST203", "ST204"):
        return answer not in (413, 414, 431)
    # To delete a job is to cancel it; it can be read until the scheduler has taken its end.
    if code == "ST301":
        return case.path != "/api/v1/jobs/{uid}"
    if code in ("ST104", "ST108", "ST109"):
        # `watch_is_lines` looks at those. libmicrohttpd itself answers a request line that does not fit into its buffer, in HTML without a
        # Content-Type; no program sees it.
        return not (answer == 200 and is_watch(case)) and not (answer == 414 and b"Request too big" in response.content)
    return True


@schemathesis.check
def refusal_says_why(ctx, response, case):
    """Every refusal is a Status of its own code, and a 422 names each field that is wrong."""
    if response.status_code < 400 or case.method == "HEAD" or not response.headers.get("content-type"):
        return
    # PagerDuty's senders get that API's own answers.
    if case.path == "/api/v1/receivers/pagerduty" and response.status_code == 400:
        return
    if is_ruled_out(case, response):
        return
    told = status(response)
    assert told.get("kind") == "Status" and told.get("code") == response.status_code, "the answer is no Status of its code"
    assert told.get("reason") and told.get("message"), "the Status has no reason or no message"
    if response.status_code == 422 and case.path.startswith("/apis/"):
        causes = told.get("details", {}).get("causes", [])
        assert causes, "a 422 without causes"
        assert all(cause.get("field") and cause.get("reason") and cause.get("message") for cause in causes), "a cause that names no field"


def status(response):
    try:
        told = json.loads(response.content)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}
