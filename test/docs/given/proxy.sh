# Behind every proxy: a server, a certificate of an authority that the clients know, and the name of the page.
mkdir -p /etc/yonder
openssl req -x509 -newkey rsa:2048 -nodes -keyout /etc/yonder/server.key -out /etc/yonder/server.crt -days 1 \
  -subj /CN=workspace.example.com -addext subjectAltName=DNS:workspace.example.com 2>/dev/null
cat /etc/yonder/server.crt /etc/yonder/server.key >/etc/yonder/server.pem
# The sandbox's own file, and not the one that lies below it.
echo "127.0.0.1 workspace.example.com" >>/etc/hosts
export YONDER_API_KEY=$(yonder key --digest-file /etc/yonder/keys)
yonder serve --working-directory /workspace --api-key-file /etc/yonder/keys
