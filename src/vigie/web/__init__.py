"""What is served over HTTP: the dashboard, the API, status pages, metrics, and where jobs report in. It is given ports alone."""
