//! The environment variable, as a whole process sees it.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking and says what it has tested"
)]

use std::process::Command;

use cortexkg_simd::{Kernels, LEVEL_VARIABLE, Level, LevelError};

/// Run in a process of its own by the test below; by itself it only prints.
#[test]
fn child_prints_its_level() {
    println!("active={} from_env={:?}", Kernels::active().level(), Level::from_env());
}

/// What a process prints in which the variable has this value.
fn child(value: Option<&str>) -> String {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "child_prints_its_level", "--nocapture"]).env_remove(LEVEL_VARIABLE);
    if let Some(value) = value {
        command.env(LEVEL_VARIABLE, value);
    }
    let output = command.output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_variable_chooses_the_level_and_a_wrong_value_falls_back() {
    let best = Level::detect();
    assert!(child(None).contains(&format!("active={best} from_env=Ok(None)")));
    for level in Level::ALL {
        let printed = child(Some(&level.to_string()));
        if level.is_supported() {
            assert!(printed.contains(&format!("active={level} from_env=Ok(Some({level:?}))")), "{printed}");
        } else {
            assert!(printed.contains(&format!("active={best} from_env=Err(Unsupported")), "{printed}");
        }
    }
    let printed = child(Some("sse9"));
    assert!(printed.contains(&format!("active={best} from_env=Err(Unknown")), "{printed}");
}

#[test]
fn errors_tell_what_to_do() {
    let unknown = "sse9".parse::<Level>().unwrap_err();
    assert_eq!(
        unknown.to_string(),
        "unknown SIMD level \"sse9\": use one of scalar, simd128, neon, avx2, avx512"
    );
    let unsupported = LevelError::Unsupported { level: Level::Avx512, best: Level::Avx2 };
    assert_eq!(
        unsupported.to_string(),
        "this CPU does not support the SIMD level avx512: the best it has is avx2"
    );
    for level in Level::ALL {
        assert_eq!(Kernels::for_level(level).is_ok(), level.is_supported());
    }
}
