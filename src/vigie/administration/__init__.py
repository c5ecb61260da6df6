"""What the pages about Vigie itself show and do: settings, channels, planned work, people, and checks of what is not watched yet."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vigie.server import Server
    from vigie.web.site import Site


def administer(site: "Site", server: "Server") -> None:
    """Give the web what this package has. A process that checks once imports none of it."""
    from vigie.administration.channels import ChannelDesk
    from vigie.administration.running import Parts
    from vigie.administration.setup import Setup
    from vigie.administration.trials import Trials
    from vigie.config.forms import Forms
    from vigie.engine.commands.maintenance import MaintenanceDesk

    runtime, prober = server.runtime, server.checking.prober
    parts = Parts(
        late=lambda: None if prober.late is None else (prober.late.p99, prober.late.maximum),
        prober=lambda: prober.pid,
        heard_at=lambda: prober.heard_at,
        stalled=lambda: tuple(part.value for part in server.watch.stalls.stalled),
        history=lambda: site.history,
    )
    site.setup = Setup(lambda: server.settings, runtime.store, runtime.clock, lambda: runtime.planner.entries, parts)
    site.forms = Forms(lambda: server.settings.policies)
    site.commands.trials = Trials(lambda: server.settings)
    site.commands.channels = ChannelDesk(lambda: server.settings, runtime.clock, runtime.store.ledger, runtime.outbox.wake)
    site.commands.maintenance = MaintenanceDesk(runtime.store.catalog, runtime.clock, server.replan)
