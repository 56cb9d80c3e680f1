//! Pure reading of repositories: a file tree in, an Analysis out.
