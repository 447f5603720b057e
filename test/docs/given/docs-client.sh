mkdir app
cat >app/package.json <<'END'
{ "name": "app", "scripts": { "test": "echo 3 passed" } }
END
cat >package.json <<'END'
{ "name": "all", "scripts": { "test": "echo 4 passed", "dev": "node -e \"console.log('listening'); setInterval(() => {}, 1000)\"" } }
END
yonder serve --working-directory /workspace >/dev/null
