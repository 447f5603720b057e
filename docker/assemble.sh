#!/bin/sh
# Run in the build's /opt/yonder once it is built and pruned: gathers what the server needs at run time in /portable.
set -eu
root=/portable/opt/yonder
mkdir -p $root/bin $root/lib $root/share

# The packages as npm linked them, without what only a build or a reader of sources needs.
cp -a node_modules package.json LICENSE $root/lib/
for package in gen wire transfer server client cli; do
  mkdir -p $root/lib/$package
  for part in package.json dist bin; do
    [ ! -e $package/$part ] || cp -a $package/$part $root/lib/$package/
  done
done
if [ -e server/native/build ]; then
  mkdir -p $root/lib/server/native
  cp -a server/native/build $root/lib/server/native/
fi
cd $root/lib
find . -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' -o -name '*.map' -o -name '.tsbuildinfo' |
  grep -v '^./node_modules/.bin/' | xargs rm -f
rm -rf node_modules/node-api-headers
pty=node_modules/node-pty
if [ -d $pty ]; then
  # What remains is its JavaScript and the one binary.
  cp $pty/build/Release/pty.node /tmp/pty.node
  rm -rf $pty/build $pty/prebuilds $pty/deps $pty/src $pty/third_party $pty/scripts $pty/node-addon-api node_modules/node-addon-api
  mkdir -p $pty/build/Release
  cp /tmp/pty.node $pty/build/Release/
fi

cp "$(command -v node)" $root/bin/node
cp /usr/bin/tini-static $root/bin/tini
cat >$root/bin/yonder <<'EOF'
#!/bin/sh
exec /opt/yonder/bin/node /opt/yonder/lib/cli/bin/yonder.js "$@"
EOF
chmod 755 $root/bin/yonder
ln -s ../lib/node_modules/@vscode/ripgrep-linux-*/bin/rg $root/bin/rg
cp /opt/yonder/docker/healthcheck.mjs /opt/yonder/docker/use-own-node.sh /opt/yonder/docker/prepare-image.sh $root/share/
