"""Tests of query: the projections, the feed, the API and the pages."""
