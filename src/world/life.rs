//! Hosts that come and go: the opening of a run, churn, and the script.

use crate::overcord::Node;
use crate::overcord::handover::update::Protocol;
use crate::overcord::node::{Entry, Life};
use crate::overlay::{NodeRef, Plugin};
use crate::rng::sample::uniform_u64;
use crate::sim::HostId;
use crate::time::{SimDuration, SimTime};
use crate::world::World;
use crate::world::director::{Action, Command, Strategy, Target, When};
use crate::world::host::{Host, NodeLink, as_node, as_secondary};
use crate::world::observation::Observation;
use crate::world::population::{Member, MemberId, Presence};

/// How many members a node knows of at least when it comes.
const BOOTSTRAP_PEERS: usize = 8;

impl World {
    /// What happens before the first event.
    pub(super) fn open(&mut self) {
        self.bring_up_infrastructure();
        self.open_users();
        self.open_beside();
        let first: Vec<MemberId> = self.up_at_start();
        if self.director.opening.converged {
            self.place(&first);
        } else {
            self.let_join(&first);
        }
        self.schedule_churn();
        self.schedule_address_changes();
        self.schedule_script();
        self.direct();
    }

    fn bring_up_infrastructure(&mut self) {
        for (host, address) in self.infrastructure.addresses.clone() {
            self.network.bring_up(host, address);
        }
        for index in 0..self.hosts.len() {
            let host = HostId(index as u32);
            match &mut self.hosts[index] {
                Host::Caller(caller) => {
                    use crate::sim::Context as _;
                    let mut link = self.network.link(host, &mut self.stage);
                    caller.start(&mut link.lift());
                }
                Host::Secondary(secondary) => {
                    let mut link = self.network.link(host, &mut self.stage);
                    secondary.start(&mut as_secondary(&mut link));
                }
                _ => {}
            }
        }
    }

    fn up_at_start(&self) -> Vec<MemberId> {
        let up = |presence| match presence {
            Presence::Scheduled(_, interval) => interval.up,
            Presence::From(_) => false,
            Presence::Server => true,
        };
        self.population
            .ids()
            .filter(|id| up(self.population.members[id.index()].presence))
            .collect()
    }

    /// A user agent that knows too few members when it starts gets a list of some: shipped with it,
    /// or from a page. They are drawn from those that are up.
    fn top_up_bootstrap_list(&mut self, id: MemberId) {
        let starts = self.population.members[id.index()].starts;
        let mut rng = self.population.setup_stream(id, self.director.opening.seed);
        // Other parts of the same stream are used elsewhere.
        rng.set_stream(2 + u64::from(starts));
        // Every node is configured with the servers that embed a peer.
        let servers: Vec<NodeRef> = self.population.servers().map(|peer| peer.contact).collect();
        let plugin = &mut self.node_mut(id).plugin;
        plugin.remember_acquaintances();
        plugin.remember(&servers);
        let missing = BOOTSTRAP_PEERS.saturating_sub(plugin.known_peers());
        let up = self.population.up();
        let Some(last) = up.len().checked_sub(1) else { return };
        // Drawn with replacement; the repository keeps a member once.
        let peers: Vec<NodeRef> = (0..missing)
            .map(|_| {
                let other = up[uniform_u64(&mut rng, 0, last as u64) as usize];
                self.population.members[other.index()].contact
            })
            .collect();
        self.node_mut(id).plugin.remember(&peers);
    }

    /// The members that are up at the start stand in a converged overlay; one of them plays the role.
    fn place(&mut self, first: &[MemberId]) {
        let contacts: Vec<NodeRef> =
            first.iter().map(|id| self.population.members[id.index()].contact).collect();
        let kit = &self.population.kit;
        let overlay = kit
            .plugin
            .converged(&contacts, &self.stage.directory)
            .expect("positions were checked to differ");
        for (&id, dht) in first.iter().zip(overlay) {
            self.bring_up(id, Some(dht), Entry::Placed);
        }
        for &id in first {
            self.with_node(self.population.members[id.index()].host, |node, ctx| node.settled(ctx));
        }
        let proxy = match self.director.strategy {
            Strategy::None => return,
            _ => {
                let eligible: Vec<MemberId> = self.eligible(first.iter().copied());
                self.director.choose(&eligible)
            }
        };
        if let Some(proxy) = proxy {
            self.install(proxy);
        }
        self.begin_to_watch(first);
    }

    /// Makes a member the proxy peer by command, with the binding pointing to it.
    pub(super) fn install(&mut self, proxy: MemberId) {
        self.let_play(proxy);
        let address = self.population.members[proxy.index()].address;
        self.director.permanent = Some(proxy);
        self.preset_service(address);
        self.publish(address);
        self.expect_departure(proxy);
    }

    fn preset_service(&mut self, address: crate::address::Address) {
        let Some(settings) = &self.population.kit.handover else { return };
        let Some(host) = self.infrastructure.service else { return };
        if let Host::Service(service) = &mut self.hosts[host.index()]
            && let Protocol::Dyndns2(_, hostname) = &settings.protocol
        {
            service.preset(hostname, address);
        }
    }

    /// Each member's first test is uniform over the probe interval, or over the spread of starts.
    fn begin_to_watch(&mut self, first: &[MemberId]) {
        let Some(settings) = &self.population.kit.handover else { return };
        let span = settings.probing.interval.max(self.director.opening.start_spread);
        for &id in first {
            let after = self.setup_span(id, span);
            let host = self.population.members[id.index()].host;
            self.with_node(host, |node, ctx| node.watch_after(ctx, after));
        }
    }

    /// A uniform share of a span, by the member's set-up stream.
    fn setup_span(&self, id: MemberId, span: SimDuration) -> SimDuration {
        let mut rng = self.population.setup_stream(id, self.director.opening.seed);
        // Other parts of the same stream are used elsewhere.
        rng.set_stream(1);
        if span.is_zero() {
            return span;
        }
        SimDuration::from_nanos(uniform_u64(&mut rng, 0, span.as_nanos() - 1))
    }

    /// Everybody joins: the earliest founds the overlay.
    fn let_join(&mut self, first: &[MemberId]) {
        for &id in first {
            let after = self.setup_span(id, self.director.opening.start_spread);
            self.command_member(id, SimTime::ZERO.saturating_add(after), Command::Start(id));
        }
    }

    fn schedule_churn(&mut self) {
        for id in self.population.ids() {
            self.expect_end(id);
            match self.population.members[id.index()].presence {
                Presence::Scheduled(_, interval) => self.schedule_toggle(id, interval.until),
                Presence::From(start) => self.command_member(id, start, Command::Start(id)),
                Presence::Server => {}
            }
        }
    }

    fn schedule_toggle(&mut self, id: MemberId, at: SimTime) {
        if at < SimTime::MAX {
            self.command_member(id, at, Command::Toggle(id));
        }
    }

    pub(super) fn command_member(&mut self, id: MemberId, at: SimTime, command: Command) {
        let number = self.director.number(command);
        self.network.command(at, self.population.members[id.index()].host, number);
    }

    fn schedule_script(&mut self) {
        for line in 0..self.director.script.len() {
            let from = match self.director.script[line].when {
                When::At(at) => at,
                When::Every(period) => SimTime::ZERO.saturating_add(period),
            };
            self.schedule_line(line, from);
        }
        // The plans of the bounds look at the script.
        if let Some(proxy) = self.director.permanent {
            self.expect_departure(proxy);
        }
    }

    fn schedule_line(&mut self, line: usize, from: SimTime) {
        let spread = self.director.script[line].spread;
        let at = self.director.moment(from, spread);
        self.director.next_play[line] = at;
        let number = self.director.number(Command::Play(line));
        self.network.command(at, self.director.host, number);
    }

    /// Carries out a command.
    #[inline(never)]
    pub(super) fn command(&mut self, host: HostId, number: u32) {
        match self.director.command(number) {
            Command::Toggle(id) => self.toggle(id),
            Command::Start(id) => self.start(id),
            Command::Release(id) => self.release(id),
            Command::Foretell(id, end) => self.foretell(id, end),
            Command::SendAway(id, back_after) => {
                if self.population.members[id.index()].is_up() {
                    self.take_down(id, true);
                }
                self.hold_for(id, back_after);
            }
            Command::Play(line) => self.play(line),
            Command::ServiceUp => self.service_up(),
            Command::ServerUp => self.server_up(host),
            Command::Succeed(id, leave) => self.succeed(id, leave),
            Command::Heal(partition) => self.heal_if_due(partition),
            Command::StartPhone(phone) => self.start_phone(phone as usize),
            Command::Act(actor) => self.generated_act(actor as usize, number),
            Command::ChangeAddress(id) => self.change_address(id),
            Command::AddressExpires(id) => self.address_expires(id, number),
            Command::NoticeAddress(id, address) => self.notice_address(id, address),
        }
    }

    /// A member that will leave gracefully at the end of its session is told in time.
    fn expect_end(&mut self, id: MemberId) {
        let notice = self.director.opening.notice;
        let Presence::Scheduled(_, interval) = self.population.members[id.index()].presence else {
            return;
        };
        if notice.is_zero() || !interval.graceful || interval.until == SimTime::MAX {
            return;
        }
        let told = interval.until.as_nanos().saturating_sub(notice.as_nanos());
        let at = SimTime::from_nanos(told).max(self.network.now());
        self.command_member(id, at, Command::Foretell(id, interval.until));
    }

    /// A member learns that it will leave at `end`, if it is still up and that is still so.
    fn foretell(&mut self, id: MemberId, end: SimTime) {
        let member = &self.population.members[id.index()];
        let Presence::Scheduled(_, interval) = member.presence else { return };
        if member.is_up() && interval.until == end {
            let after = end.since(self.network.now());
            self.with_node(member.host, |node, ctx| node.leave_after(ctx, after));
        }
    }

    /// An interval of a scheduled member ends.
    fn toggle(&mut self, id: MemberId) {
        let now = self.network.now();
        let member = &mut self.population.members[id.index()];
        let Presence::Scheduled(mut churn, ended) = member.presence else {
            unreachable!("only scheduled members toggle")
        };
        let next = churn.next(&self.population.schedule, now);
        member.presence = Presence::Scheduled(churn, next);
        let (up, held) = (member.is_up(), member.is_held());
        if up && !next.up {
            self.take_down(id, ended.graceful);
        } else if !up && next.up && !held {
            self.come(id);
        }
        self.expect_end(id);
        self.schedule_toggle(id, next.until.max(now));
    }

    /// A member starts for the first time.
    fn start(&mut self, id: MemberId) {
        let member = &self.population.members[id.index()];
        let wanted = match member.presence {
            Presence::Scheduled(_, interval) => interval.up,
            Presence::From(_) | Presence::Server => true,
        };
        if wanted && !member.is_up() && !member.is_held() {
            self.come(id);
        }
    }

    /// A member comes by itself: where nobody has ever been up, it founds the overlay, otherwise it
    /// joins.
    fn come(&mut self, id: MemberId) {
        let founds = !self.population.has_begun();
        self.bring_up(id, None, if founds { Entry::Found } else { Entry::Join });
        if founds && !matches!(self.director.strategy, Strategy::None | Strategy::Tests) {
            self.install(id);
        }
    }

    /// A member comes up.
    pub(super) fn bring_up(&mut self, id: MemberId, placed: Option<Plugin>, entry: Entry) {
        self.population.readdress(id, &mut self.stage.directory);
        if entry == Entry::Join {
            self.top_up_bootstrap_list(id);
        }
        self.population.rise(id);
        let member = self.population.members[id.index()].clone();
        self.network.bring_up(member.host, member.address);
        self.count_presence(&member, true);
        self.tell(member.host, &Observation::HostUp(member.address));
        let others = self.others_of(id);
        let kit = &self.population.kit;
        let dht = placed.unwrap_or_else(|| kit.plugin(&member, &self.stage.directory));
        let life = Life {
            dht,
            handover: kit.handover(id, &member),
            user_agent: kit.user_agent(id, &member, self.users.members.get(id.index())),
            others,
            server: kit.server(id, &member),
        };
        self.with_node(member.host, |node, ctx| node.start(ctx, life, entry));
        let returns = self.director.strategy == Strategy::Static && entry == Entry::Join;
        if returns && self.director.permanent == Some(id) {
            self.let_play(id);
        }
    }

    /// A member goes.
    pub(super) fn take_down(&mut self, id: MemberId, graceful: bool) {
        let host = self.population.members[id.index()].host;
        if graceful {
            self.with_node(host, |node, ctx| node.leave(ctx));
        }
        self.population.fall(id);
        self.network.take_down(host);
        let member = self.population.members[id.index()].clone();
        self.count_presence(&member, false);
        self.tell(host, &Observation::HostDown);
    }

    /// A member came or went; the peers inside of servers are none of the population.
    fn count_presence(&mut self, member: &Member, up: bool) {
        if !member.is_server() {
            self.director.count_presence(self.network.now(), up);
        }
    }

    /// Those of these members that can play the proxy role: not the peers inside of servers, nor
    /// those that nobody reaches.
    pub(super) fn eligible(&self, members: impl Iterator<Item = MemberId>) -> Vec<MemberId> {
        let member = |id: MemberId| &self.population.members[id.index()];
        let open = |id| !self.stage.truth.is_walled(member(id).host);
        members.filter(|&id| !member(id).is_server() && open(id)).collect()
    }

    /// A member plays the proxy role from now on.
    pub(super) fn let_play(&mut self, id: MemberId) {
        self.let_play_on(self.population.members[id.index()].host);
    }

    /// The member on a host plays the proxy role of its overlay from now on.
    pub(super) fn let_play_on(&mut self, host: HostId) {
        self.with_node(host, |node, ctx| node.take_role(ctx));
    }

    /// A member no longer plays the role.
    pub(super) fn let_give_up(&mut self, host: HostId) {
        self.with_node(host, |node, ctx| node.give_up_role(ctx));
    }

    /// The script keeps a member away until then, or longer if it was told so before.
    fn hold(&mut self, id: MemberId, until: SimTime) {
        let member = &mut self.population.members[id.index()];
        let until = member.held_until.map_or(until, |former| former.max(until));
        member.held_until = Some(until);
        if until < SimTime::MAX {
            self.command_member(id, until, Command::Release(id));
        }
    }

    /// The script lets a member come back, if its schedule does, unless it was told meanwhile to
    /// stay away longer.
    fn release(&mut self, id: MemberId) {
        let now = self.network.now();
        let member = &mut self.population.members[id.index()];
        if member.held_until.is_none_or(|until| until > now) {
            return;
        }
        member.held_until = None;
        let wanted = match member.presence {
            Presence::Scheduled(_, interval) => interval.up,
            Presence::From(start) => start <= now,
            Presence::Server => true,
        };
        if wanted && !member.is_up() {
            self.come(id);
        }
    }

    /// Plays a line of the script.
    fn play(&mut self, line: usize) {
        let now = self.network.now();
        let fixed = self.director.fixed[line].take();
        let action = self.director.script[line].action.clone();
        self.director.next_play[line] = SimTime::MAX;
        if let When::Every(period) = self.director.script[line].when {
            // The moment that was drawn lies in [k period, k period + spread), spread ≤ period.
            let rounds = now.as_nanos() / period.as_nanos() + 1;
            self.schedule_line(line, SimTime::ZERO.saturating_add(period * rounds));
            self.expect_departure_from_binding();
        }
        match action {
            Action::Depart { target: Target::Server(host), back_after, .. } => {
                self.server_down(host, back_after);
            }
            Action::Return { target: Target::Server(host) } => self.let_server_up(host),
            Action::Depart { target, back_after, graceful } => {
                for id in self.targets_or(fixed, target) {
                    self.depart(id, back_after, graceful);
                }
            }
            Action::Return { target } => {
                for id in self.targets(target, false) {
                    self.population.members[id.index()].held_until = Some(now);
                    self.release(id);
                }
            }
            Action::ServiceDown { back_after } => self.service_down(back_after),
            Action::ServiceUp => self.service_up(),
            Action::ServiceReset => self.service_reset(),
            Action::Part { partition, hosts, proxy, lasting } => {
                self.part(partition, &hosts, proxy, lasting);
            }
            Action::Heal => self.heal_all(),
            Action::Readdress { target } => {
                for id in self.targets_or(fixed, target) {
                    self.change_address(id);
                }
            }
            Action::User { host, action } => self.act(host, action),
        }
    }

    /// The member whose departure was foreseen, if it is up, or else whom the line is about.
    fn targets_or(&mut self, foreseen: Option<MemberId>, target: Target) -> Vec<MemberId> {
        let foreseen = foreseen.filter(|id| self.population.members[id.index()].is_up());
        foreseen.map_or_else(|| self.targets(target, true), |id| vec![id])
    }

    /// The script sends a member away: at once, or, if it goes gracefully, after the notice.
    fn depart(&mut self, id: MemberId, back_after: Option<SimDuration>, graceful: bool) {
        let notice = self.director.opening.notice;
        let member = &self.population.members[id.index()];
        if !member.is_up() {
            return self.hold_for(id, back_after);
        }
        if graceful && !notice.is_zero() {
            self.with_node(member.host, |node, ctx| node.leave_after(ctx, notice));
            let at = self.network.now().saturating_add(notice);
            return self.command_member(id, at, Command::SendAway(id, back_after));
        }
        self.take_down(id, graceful);
        self.hold_for(id, back_after);
    }

    /// The script keeps a member away for so long; `None`: until it is told otherwise.
    fn hold_for(&mut self, id: MemberId, span: Option<SimDuration>) {
        let now = self.network.now();
        self.hold(id, span.map_or(SimTime::MAX, |span| now.saturating_add(span)));
    }

    /// The members that a line is about: up ones that may go, or held ones that may return.
    pub(super) fn targets(&mut self, target: Target, going: bool) -> Vec<MemberId> {
        match target {
            Target::Member(id) => vec![id],
            Target::Binding => {
                let host = self.stage.truth.binding_host();
                host.and_then(|host| self.member_on(host)).into_iter().collect()
            }
            Target::Share(share) => {
                let members = &self.population.members;
                let pool: Vec<MemberId> = self
                    .population
                    .ids()
                    .filter(|id| {
                        let member = &members[id.index()];
                        let concerned = if going { member.is_up() } else { member.is_held() };
                        concerned && !member.is_server()
                    })
                    .collect();
                self.director.sample(&pool, share)
            }
            Target::Server(_) => Vec::new(),
        }
    }

    fn service_down(&mut self, back_after: Option<SimDuration>) {
        let Some(host) = self.infrastructure.service else { return };
        if self.network.address(host).is_some() {
            self.network.take_down(host);
        }
        if let Some(span) = back_after {
            let number = self.director.number(Command::ServiceUp);
            let at = self.network.now().saturating_add(span);
            self.network.command(at, self.director.host, number);
        }
    }

    fn service_reset(&mut self) {
        let Some(host) = self.infrastructure.service else { return };
        if let Host::Service(service) = &mut self.hosts[host.index()] {
            service.reset_abuse();
        }
    }

    fn service_up(&mut self) {
        let Some(host) = self.infrastructure.service else { return };
        if self.network.address(host).is_some() {
            return;
        }
        let known = self.infrastructure.addresses.iter().find(|(other, _)| *other == host);
        let &(_, address) = known.expect("the service has an address");
        self.network.bring_up(host, address);
        let mut link = self.network.link(host, &mut self.stage);
        let Host::Service(service) = &mut self.hosts[host.index()] else {
            unreachable!("the service's host is the service")
        };
        use crate::sim::Context as _;
        let ctx = &mut link.lift::<_, crate::dyndns::ServerTimer, crate::dyndns::Accepted>();
        for publish in service.restart(ctx) {
            self.publish(publish.address);
        }
    }

    /// Lets the node on a member's host do something.
    pub(super) fn with_node(
        &mut self,
        host: HostId,
        act: impl FnOnce(&mut Node, &mut NodeLink<'_, '_>),
    ) {
        let mut link = self.network.link(host, &mut self.stage);
        match &mut self.hosts[host.index()] {
            Host::Node(node) => act(node, &mut as_node(&mut link)),
            other => unreachable!("members live on nodes, not on {other:?}"),
        }
    }

    /// The node of a member.
    pub(super) fn node_mut(&mut self, id: MemberId) -> &mut crate::overcord::Node {
        let host = self.population.members[id.index()].host;
        match &mut self.hosts[host.index()] {
            Host::Node(node) => node,
            other => unreachable!("members live on nodes, not on {other:?}"),
        }
    }
}
