//! What processes cost: memory and processor time, read from the kernel; and that all of them run alike.
//!
//! Rule: PSS is summed over all processes of one program, so that pages they share count once; processor time comes from
//! the scheduler in nanoseconds, because an idle minute is shorter than one tick of `/proc/PID/stat`.

use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::Context as _;

/// Memory of a set of processes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Memory {
    /// Proportional set size, KiB.
    pub pss_kib: f64,
    /// Resident set size, KiB; shared pages count in every process.
    pub rss_kib: f64,
    /// Private anonymous memory, KiB: what no page cache gives back.
    pub anonymous_kib: f64,
}

/// The main process of a unit of systemd.
pub fn unit_pid(unit: &str) -> anyhow::Result<u32> {
    let shown = Command::new("systemctl").args(["show", "--property=MainPID", "--value", unit]).output()?;
    let pid = String::from_utf8_lossy(&shown.stdout).trim().parse().unwrap_or(0);
    anyhow::ensure!(pid != 0, "{unit} does not run");
    Ok(pid)
}

/// Memory of all these processes together.
pub fn memory(pids: &[u32]) -> anyhow::Result<Memory> {
    let mut sum = Memory::default();
    for pid in pids {
        let path = format!("/proc/{pid}/smaps_rollup");
        let text = std::fs::read_to_string(&path).with_context(|| format!("read {path}"))?;
        sum.pss_kib += field(&text, "Pss:")?;
        sum.rss_kib += field(&text, "Rss:")?;
        sum.anonymous_kib += field(&text, "Anonymous:")?;
    }
    Ok(sum)
}

/// Processor time that all threads of these processes have used.
pub fn processor_time(pids: &[u32]) -> anyhow::Result<Duration> {
    let mut sum = 0;
    for pid in pids {
        for thread in std::fs::read_dir(format!("/proc/{pid}/task"))? {
            let text = std::fs::read_to_string(thread?.path().join("schedstat"))?;
            let nanoseconds = text.split(' ').next().and_then(|number| number.parse::<u64>().ok());
            sum += nanoseconds.context("no processor time in schedstat")?;
        }
    }
    Ok(Duration::from_nanos(sum))
}

/// Threads of these processes.
pub fn threads(pids: &[u32]) -> anyhow::Result<usize> {
    pids.iter().try_fold(0, |sum, pid| Ok(sum + std::fs::read_dir(format!("/proc/{pid}/task"))?.count()))
}

/// Gives processes that were not started by this one its own priority, so that every contender has the same.
pub fn same_priority(pids: &[u32]) -> anyhow::Result<()> {
    let own = std::fs::read_to_string("/proc/self/stat")?;
    // The name may have spaces; nice is the seventeenth field after it.
    let nice = own.rsplit(") ").next().and_then(|rest| rest.split(' ').nth(16)).context("no nice value")?;
    for pid in pids {
        let status = Command::new("renice")
            .args(["-n", nice, "-p", &pid.to_string()])
            .stdout(Stdio::null())
            .status()?;
        anyhow::ensure!(status.success(), "renice {pid}: {status}");
    }
    Ok(())
}

fn field(text: &str, name: &str) -> anyhow::Result<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name)).with_context(|| format!("no {name}"))?;
    line.split_whitespace().next().and_then(|number| number.parse().ok()).context("no number")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_memory_threads_and_used_time() {
        let own = [std::process::id()];
        let memory = memory(&own).unwrap();
        assert!(memory.pss_kib > 100.0 && memory.anonymous_kib <= memory.rss_kib, "{memory:?}");
        assert!(threads(&own).unwrap() >= 1);
        same_priority(&own).unwrap();
        assert!(processor_time(&own).unwrap() > Duration::ZERO);
    }
}
