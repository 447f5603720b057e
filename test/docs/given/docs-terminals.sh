yonder serve --working-directory /workspace >/dev/null
