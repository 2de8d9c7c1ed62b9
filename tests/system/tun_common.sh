# Sourced first by tests of private networks. /dev/net/tun is everybody's where udev made it. Where
# nobody did, the test that sources this sees one that is, in a mount namespace of its own.
if [ -z "${TUN_IS_OPEN:-}" ] && [ "$(id -u)" -eq 0 ] && [ "$(stat -c %a /dev/net/tun 2>/dev/null)" != 666 ]; then
  tun=$(mktemp -d /var/tmp/slipway-tun.XXXXXX)
  TUN_IS_OPEN=yes unshare -m bash -c "
    mount --make-rprivate / && mknod -m 666 '$tun/tun' c 10 200 &&
      mount --bind '$tun/tun' /dev/net/tun && exec bash '$0'"
  status=$?
  rm -rf "$tun"
  exit $status
fi
