//! One simulation: what goes wrong and when, until everything has come to its end.
//!
//! Rule: what journals say is looked at in every tick, what is stored when somebody died, when more was acknowledged than was
//! seen to be stored, and now and then.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use turmoil::Sim;

use crate::agent::{Disk, Hands};
use crate::auditor::Auditor;
use crate::dice::Dice;
use crate::sweep::Fate;
use crate::template::Template;
use crate::told::Told;
use crate::world::{self, Node, World};
use crate::{agent, coordinator, steps};

/// Every process takes its turn so often.
const TICK_MS: i64 = 40;
/// What is stored is looked at so often, at least.
const LOOK_MS: i64 = 400;
/// So long things go wrong, at least.
const STORM_MS: i64 = 6_000;
/// After that everything must have ended within this time. A connection that hangs is noticed after 35 s, and again.
const CALM_MS: i64 = 400_000;
/// A revoked server is out within this time.
const REVOKED_MS: i64 = 5_000;

struct Story<'a> {
    world: Arc<World>,
    disk: Arc<Disk>,
    sim: Sim<'a>,
    auditor: Auditor,
    /// When dead processes live again.
    births: Vec<(i64, Node)>,
    /// When a network is whole again.
    repairs: Vec<(i64, &'static str)>,
    next_fault: i64,
}

/// Tells one story to its end: of a storm, or of a single fault.
pub(crate) fn tell(template: &Template, seed: u64, fate: Option<Fate>) -> Told {
    let files = template.copy();
    let world = Arc::new(World::new(template, files.path(), Dice::new(seed), fate));
    let disk = Arc::new(Disk::new(world.clone()));
    world.witness().disk = Some(disk.clone());
    world::set(Some(world.clone()));
    hydron_agent::fault::simulate(Some(Rc::new(Hands(disk.clone()))));
    let asked = world.clone();
    hydron_store::still::simulate(Some(Rc::new(move |act| match asked.current() {
        Some(node @ (Node::A | Node::B)) if act => asked.dies(node),
        Some(node @ (Node::A | Node::B)) => asked.is_dead(node),
        Some(Node::Agent) | None => false,
    })));
    let auditor = Auditor::new(world.clone());
    let sim = simulation(&world, seed);
    let mut story = Story {
        world: world.clone(),
        disk,
        sim,
        auditor,
        births: Vec::new(),
        repairs: Vec::new(),
        next_fault: 0,
    };
    if fate.is_none() {
        story.storm();
    }
    story.calm();
    if fate.is_none() {
        story.revoke();
    }
    let mut told = world.witness().told.clone();
    told.refused = world.witness().fencing.refused;
    told.seconds = world.elapsed() as u64 / 1000;
    drop(story);
    *world.apps.lock().unwrap() = [None, None];
    world.witness().disk = None;
    world::set(None);
    hydron_agent::fault::simulate(None);
    hydron_store::still::simulate(None);
    told
}

fn simulation<'a>(world: &Arc<World>, seed: u64) -> Sim<'a> {
    let mut sim = turmoil::Builder::new()
        .rng_seed(seed)
        .tick_duration(Duration::from_millis(TICK_MS as u64))
        .simulation_duration(Duration::from_hours(1))
        .min_message_latency(Duration::from_millis(1))
        .max_message_latency(Duration::from_millis(150))
        .tcp_capacity(4096)
        .enable_tokio_io()
        .build();
    let (a, b, at, of) = (world.clone(), world.clone(), world.clone(), world.clone());
    sim.host("a", move || coordinator::run(a.clone(), Node::A));
    sim.host("b", move || coordinator::run(b.clone(), Node::B));
    sim.host("agent", move || agent::run(at.clone()));
    sim.host("steps", move || steps::run(of.clone()));
    sim
}

impl Story<'_> {
    fn tick(&mut self) {
        let now = self.world.elapsed() + TICK_MS;
        self.world.tick(now);
        self.sim.step().unwrap();
        assert!(!self.world.witness.is_poisoned(), "somebody saw what must not be");
        for node in Node::ALL {
            if self.world.is_dead(node) && !self.births.iter().any(|(_, born)| *born == node) {
                self.bury(node);
            }
        }
        let (due, later) = std::mem::take(&mut self.births).into_iter().partition(|(at, _)| *at <= now);
        self.births = later;
        let due: Vec<(i64, Node)> = due;
        for (_, node) in due {
            self.sim.bounce(node.name());
        }
        let (due, later) = std::mem::take(&mut self.repairs).into_iter().partition(|(at, _)| *at <= now);
        self.repairs = later;
        let due: Vec<(i64, &'static str)> = due;
        for (_, name) in due {
            self.sim.repair("agent", name);
            self.sim.release("agent", name);
        }
        let doubts = {
            let mut witness = self.world.witness();
            witness.look(&self.world);
            witness.has_doubts()
        };
        if doubts || now % LOOK_MS == 0 {
            self.auditor.look();
        }
    }

    fn bury(&mut self, node: Node) {
        let now = self.world.elapsed();
        self.sim.crash(node.name());
        let (down, torn, power) = {
            let mut dice = self.world.dice();
            (100 + dice.below(3000) as i64, dice.below(40), dice.permille(500))
        };
        let power = match self.world.fate {
            Some(Fate::Death { power, .. }) => power,
            Some(Fate::Cut { .. }) | None => power,
        };
        self.births.push((now + down, node));
        self.world.witness().told.deaths += 1;
        match node {
            Node::A | Node::B => self.world.apps.lock().unwrap()[node as usize] = None,
            // A process that dies leaves what it wrote; a machine takes its step hosts with it.
            Node::Agent if power => {
                self.disk.cut_power(torn);
                for run in self.world.template.runs.clone() {
                    self.world.kill_host(run);
                }
                self.world.witness().told.power_cuts += 1;
            }
            Node::Agent => self.disk.keep(),
        }
        self.auditor.look();
        self.auditor.search();
    }

    fn storm(&mut self) {
        let longer = self.world.dice().below(STORM_MS as u64) as i64;
        while self.world.elapsed() < STORM_MS + longer {
            if self.world.elapsed() >= self.next_fault {
                self.next_fault = self.world.elapsed() + 50 + self.world.dice().below(800) as i64;
                self.fault();
            }
            self.tick();
        }
    }

    fn fault(&mut self) {
        let now = self.world.elapsed();
        let (kind, pick, size) = {
            let mut dice = self.world.dice();
            (dice.below(10), dice.below(3) as usize, dice.next())
        };
        let node = Node::ALL[pick];
        match kind {
            0..4 => self.world.doom(node, (size % 40) as i64),
            4 => self.world.doom(Node::Agent, (size % 8) as i64),
            5 => {
                let runs = &self.world.template.runs;
                let run = runs[size as usize % runs.len()];
                self.world.kill_host(run);
                self.world.witness().told.host_deaths += 1;
            }
            6 => self.jump(node, size),
            7 | 8 => {
                let name = if pick == 0 { "a" } else { "b" };
                if kind == 7 {
                    self.sim.hold("agent", name);
                } else {
                    self.sim.partition("agent", name);
                }
                self.repairs.push((now + 100 + (size % 6000) as i64, name));
                self.world.witness().told.partitions += 1;
            }
            _ => {}
        }
    }

    /// Coordinators keep their clocks within a minute of each other; servers may be further off.
    fn jump(&self, node: Node, size: u64) {
        let most: i64 = if node == Node::Agent { 120_000 } else { 25_000 };
        self.world.jump(node, (size % (2 * most as u64)) as i64 - most);
        self.world.witness().told.jumps += 1;
    }

    fn calm(&mut self) {
        self.world.calm.store(true, SeqCst);
        for node in Node::ALL {
            self.world.doom(node, -1);
        }
        for name in ["a", "b"] {
            self.sim.repair("agent", name);
            self.sim.release("agent", name);
        }
        self.repairs.clear();
        let end = self.world.elapsed() + CALM_MS;
        while !(self.world.elapsed() % 1000 == 0 && self.auditor.all_over() && self.is_told()) {
            if self.world.elapsed() > end {
                self.auditor.judge();
                panic!("everything is over and the last words were not heard");
            }
            self.tick();
        }
        self.auditor.look();
        self.auditor.judge();
    }

    /// Whether the agent was told that it may forget every run, or has nothing more to say of any.
    fn is_told(&self) -> bool {
        self.auditor.is_complete()
    }

    fn revoke(&mut self) {
        self.auditor.revoke();
        let end = self.world.elapsed() + REVOKED_MS;
        while self.world.elapsed() < end {
            self.tick();
        }
        for app in self.world.apps.lock().unwrap().iter().flatten() {
            assert!(!app.agents.is_online(self.world.template.server), "I8: revoked, and still connected");
        }
    }
}
