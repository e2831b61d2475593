"""The revisions of the registry's tables, run by `canary.store.migrate`."""
