//! How long a trivial step takes from its permit to its durable result. Run by hand on a quiet machine:
//! `cargo nextest run -p hydron-agent --test it --run-ignored all latency --no-capture`.

use std::time::Instant;

use hydron_proto::wire::event;

use crate::world::{World, permit};

#[tokio::test]
#[ignore = "a measurement, not a check"]
async fn a_trivial_step_from_permit_to_durable_result() {
    let mut world = World::running();
    let scripts = vec!["true"; 300];
    let run = world.shell_run(&scripts);
    let mut link = world.link().await;
    link.accepted(&run).await;
    let mut times = Vec::new();
    for step in 0..300 {
        let began = Instant::now();
        link.permit(permit(&run, step, step)).await;
        link.events_until(|body| matches!(body, event::Body::StepExited(_))).await;
        times.push(began.elapsed());
        link.events_until_range_end().await;
    }
    times.sort();
    println!("one permit a step: p50 {:?} p95 {:?}", times[150], times[285]);
    let run = world.shell_run(&scripts);
    link.accepted(&run).await;
    let began = Instant::now();
    link.permit(permit(&run, 0, 299)).await;
    link.events_until_range_end().await;
    println!("one permit for 300 steps: {:?} a step", began.elapsed() / 300);
}
