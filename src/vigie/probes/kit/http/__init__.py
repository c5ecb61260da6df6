"""HTTP(S) requests for every kind that makes them: our own names and redirects, libcurl for each hop, every failure told apart."""
