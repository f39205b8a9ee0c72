"""What the document can't say: a parameter that is empty counts as none."""

import schemathesis


@schemathesis.hook
def filter_query(context, query):
    return all(value != "" for value in (query or {}).values())
