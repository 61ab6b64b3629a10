"""Prometheus counters and histograms; their names and labels are a promise to dashboards."""

from prometheus_client import Counter, Histogram

EVENTS_PUBLISHED = Counter("pratique_events_published_total", "Events confirmed by the broker.", ["service"])
EVENTS_HANDLED = Counter("pratique_events_handled_total", "Events reacted to for the first time.", ["service"])
BATCH_SECONDS = Histogram("pratique_batch_seconds", "One batch of deliveries, in one transaction.", ["service"])
RPC_SECONDS = Histogram("pratique_rpc_seconds", "One RPC call, as its service sees it.", ["service", "method"])
