"""A thousand monitors, hostile servers, clients and receivers among them, and a disk that fills, against a real `vigie serve`.

`python -m bench.soak --minutes 10` runs it. The processes: `vigie serve` with its prober, as people run them; the servers of the healthy and
of the hostile monitors (`servers.py`), apart so that these cost those nothing; and this one, which receives notices, holds connections
open, reports for jobs, fills the disk and measures.
"""
