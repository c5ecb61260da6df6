"""A fleet's results from publish to commit: how many a second on this machine, how late they are evaluated, and what it takes to hold them.

One evaluator with the listeners that a server has, a real nats-server with JetStream on a disk, a real PostgreSQL that syncs its commits.
Monitors are checked every minute from three locations, all well but one in two thousand; every result comes as an agent packs it:
33 bytes, and whole once an hour. The floor is nats-py publishing and reading the same messages while asyncpg writes the same bytes, and
nothing else. Throughput: messages of 400 results, from the first publish to the commit of the last. Lateness: on a simulated clock,
agents publish once a second, the evaluator takes as long as it takes. All on the cores of this machine, the servers included.
"""

import asyncio
import logging
import multiprocessing
import os
import random
import struct
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC
from pathlib import Path

import psutil

from bench.ground import quantile, say
from vigie.buses import BusDeps
from vigie.buses import nats as nats_bus
from vigie.clock import SystemClock
from vigie.core.model import Cause, Certificate, CheckResult, Expiry, ExpiryKind, HttpFacts, Monitor, Status, Timings, TlsFacts
from vigie.engine.board import LiveBoard
from vigie.engine.check_summary import CheckSummary
from vigie.engine.ingest import Ingest
from vigie.engine.live import LiveHub
from vigie.engine.past import Pasts
from vigie.engine.refreshing import Refresher
from vigie.engine.self_monitor import SelfMonitor
from vigie.fleet import packed
from vigie.fleet.batches import PackedBatch, encode
from vigie.fleet.shards import SHARDS, shard_of
from vigie.net.nats.address import Config as NatsConfig
from vigie.ports import Commit, Store, StoredDefinition
from vigie.stores import postgresql
from vigie.stores import StoreDeps
from vigie.testing.fakes import fake_monitor, policies
from vigie.testing.nats_server import NatsServer
from vigie.testing.postgres_server import packaged_server, postgres, system_server

MONITORS, TOGETHER = 100_000, 400
LOCATIONS = ("oslo", "paris", "rome")
START = 1_795_000_000_000 // 3_600_000 * 3_600_000 + 300_000
MINUTE, HOUR = 60_000, 3_600_000
ROUNDS = 8
TARGET, LATE_MS = 300_000, 2_000
RECORD = struct.Struct("<IIBBH3s3s3s3s3s3sBH")
SAFE = {"fsync": "on", "full_page_writes": "on", "shared_buffers": "128MB"}
