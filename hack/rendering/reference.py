# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors
"""A reference page of a kind: what people wrote, then every field, from its CustomResourceDefinition."""

LINE = "<!-- Below this line hack/render writes, from crds/. -->"


def page(crd, before):
    """The page with its upper, written part kept and its lower part made anew."""
    kind = crd["spec"]["names"]["kind"]
    version = crd["spec"]["versions"][0]
    schema = version["schema"]["openAPIV3Schema"]
    written = before.partition(LINE)[0].rstrip() or f"# {kind}\n\n{schema['description']}"
    return "\n".join([written, "", LINE, "", *facts(crd, version), *parts(schema)])


def facts(crd, version):
    names = crd["spec"]["names"]
    columns = ", ".join(column(c) for c in version.get("additionalPrinterColumns", []))
    yield "| | |"
    yield "|---|---|"
    yield f"| apiVersion | `{crd['spec']['group']}/{version['name']}` |"
    yield f"| for kubectl | `{names['plural']}`, `{names['singular']}`, `{names['shortNames'][0]}`; all kinds together: `{names['categories'][0]}` |"
    yield f"| scope | {crd['spec']['scope'].lower()} |"
    yield f"| columns | {columns} |"
    subresources = ", ".join(f"`{name}`" for name in version.get("subresources", {}))
    if subresources:
        yield f"| subresources | {subresources} |"
    yield ""


def column(entry):
    return entry["name"].upper() + (" (wide)" if entry.get("priority") else "")


def parts(schema):
    for name in ("spec", "status"):
        part = schema["properties"].get(name)
        if part is None:
            continue
        yield f"## {name}"
        yield ""
        yield part["description"]
        yield ""
        yield "| field | type | |"
        yield "|---|---|---|"
        for path, field, required in fields(part):
            yield f"| `{path}` | {kind_of(field)} | {explanation(field, required)} |"
        yield ""
    found = list(rules(schema))
    if found:
        yield "## Rules"
        yield ""
        yield "Enforced by the API server from Kubernetes 1.25 on, and by the operator everywhere."
        yield ""
        yield from (f"- {'`' + path + '`: ' if path else ''}{message}" for path, message in found)
        yield ""


def fields(schema, prefix=""):
    for name, field in schema.get("properties", {}).items():
        path = f"{prefix}{name}" + ("[]" if field.get("type") == "array" else "")
        yield path, field, name in schema.get("required", [])
        yield from fields(field.get("items", field), path + ".")


def kind_of(field):
    if field.get("type") == "array":
        return "list of " + kind_of(field["items"]) if "properties" not in field["items"] else "list"
    if isinstance(field.get("additionalProperties"), dict):
        return "map of " + kind_of(field["additionalProperties"])
    if field.get("format") == "date-time":
        return "time"
    return field.get("type", "any")


def explanation(field, required):
    text = [field.get("description", "")]
    if required:
        text.append("**Needed.**")
    if "default" in field:
        text.append(f"Default `{field['default']}`.")
    if "enum" in field:
        text.append("One of " + ", ".join(f"`{value}`" for value in field["enum"]) + ".")
    text.append(limits(field))
    return " ".join(part for part in text if part).replace("|", "\\|")


def limits(field):
    low, high = field.get("minimum"), field.get("maximum")
    if low is not None and high is not None:
        return f"From {low} to {high}."
    if low is not None:
        return f"At least {low}."
    if "pattern" in field:
        return f"Matches `{field['pattern']}`."
    return ""


def rules(schema, path=""):
    for rule in schema.get("x-kubernetes-validations", []):
        yield path, rule["message"]
    for name, field in schema.get("properties", {}).items():
        inner = field.get("items", field)
        suffix = "[]" if field.get("type") == "array" else ""
        yield from rules(inner, f"{path}.{name}{suffix}".lstrip("."))
