//! `make demo`, `make up` and `make demo-clean`: see `hydron_tests::demo`.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use hydron_tests::demo::{clean, deploy, machine::Machine, screen::Screen, screen::say, state::State};

#[derive(Parser)]
#[command(about = "A whole Hydron on this machine")]
struct Arguments {
    /// State directory
    #[arg(long, env = "HYDRON_DEMO_STATE")]
    state: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Start, and deploy a sample through the public interface
    Deploy {
        #[arg(long)]
        sample: PathBuf,
        /// Stop coordinator and agent when it is live, in place of waiting for Ctrl-C
        #[arg(long)]
        once: bool,
    },
    /// Start without deploying
    Up,
    /// Remove what the demo made
    Clean,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let mut screen = Screen::default();
    match arguments.command {
        Command::Clean => clean::clean(&arguments.state),
        Command::Up => {
            let mut state = State::open(&arguments.state)?;
            let machine = Machine::start(&mut state, None, &mut screen).await?;
            screen.done(&deploy::addresses(&machine, &state));
            wait_and_stop(machine, false).await
        }
        Command::Deploy { sample, once } => {
            let mut state = State::open(&arguments.state)?;
            let machine = Machine::start(&mut state, Some(&sample), &mut screen).await?;
            deploy::deploy(&machine, &mut state, &sample, &mut screen).await?;
            wait_and_stop(machine, once).await
        }
    }
}

async fn wait_and_stop(machine: Machine, once: bool) -> anyhow::Result<()> {
    if !once {
        say("Ctrl-C stops coordinator and agent; what is deployed stays up. `make demo-clean` removes it.");
        tokio::signal::ctrl_c().await.context("wait for Ctrl-C")?;
    }
    machine.stop()?;
    say("Stopped coordinator and agent.");
    Ok(())
}
