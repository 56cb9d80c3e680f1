//! The agent runs on any Linux: one file that needs no loader and no library.
//!
//! Rule: read from the ELF headers of the binary under test, not from what the build says about itself.

use crate::world::program;

const PT_DYNAMIC: u32 = 2;
const PT_INTERP: u32 = 3;
const DT_NEEDED: u64 = 1;

#[test]
fn the_agent_is_static() {
    let agent =
        std::fs::read(program("HYDRON_TEST_AGENT", "target/x86_64-unknown-linux-musl/lab/hydron-agent"));
    assert_eq!(needs(&agent.unwrap()), Needs { interpreter: false, libraries: 0 });
}

#[test]
fn a_program_that_is_not_static_is_recognised() {
    let this_test = std::fs::read(std::env::current_exe().unwrap()).unwrap();
    let needs = needs(&this_test);
    assert!(needs.interpreter && needs.libraries > 0, "{needs:?}");
}

/// What the kernel and the loader would have to bring.
#[derive(Debug, PartialEq, Eq)]
struct Needs {
    interpreter: bool,
    libraries: usize,
}

fn needs(elf: &[u8]) -> Needs {
    assert_eq!(elf[..6], *b"\x7fELF\x02\x01", "a 64-bit little-endian ELF file");
    let (table, size, count) = (number(elf, 0x20, 8), number(elf, 0x36, 2), number(elf, 0x38, 2));
    let mut needs = Needs { interpreter: false, libraries: 0 };
    for header in (0..count).map(|index| table + index * size) {
        match u32::try_from(number(elf, header, 4)).unwrap() {
            PT_INTERP => needs.interpreter = true,
            PT_DYNAMIC => {
                needs.libraries += libraries(elf, number(elf, header + 8, 8), number(elf, header + 32, 8));
            }
            _ => {}
        }
    }
    needs
}

/// Entries of a dynamic section are a tag and a value of eight bytes each.
fn libraries(elf: &[u8], offset: u64, size: u64) -> usize {
    (offset..offset + size).step_by(16).filter(|entry| number(elf, *entry, 8) == DT_NEEDED).count()
}

fn number(elf: &[u8], offset: u64, length: usize) -> u64 {
    let start = usize::try_from(offset).unwrap();
    let mut bytes = [0; 8];
    bytes[..length].copy_from_slice(&elf[start..start + length]);
    u64::from_le_bytes(bytes)
}
