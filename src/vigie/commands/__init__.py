"""The ports of the write side: what people ask of a running Vigie by a page or the API, one file for each subject."""
