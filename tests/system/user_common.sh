# Sourced: an ordinary user with subordinate ids, as on another machine: with a store, a cache and a
# configuration of his own under $scratch/user.
#
#   has_user                    whether there is one here
#   give_project                $scratch/user/project, with slipway.toml and slipway.lock of the working
#                               folder, and the lock's files as a bundle
#   as_user [NAME=VALUE...] PROGRAM...   $scratch/user/program is slipway
has_user() { id slipway-test >/dev/null 2>&1 && grep -q '^slipway-test:' /etc/subuid && command -v newuidmap setpriv >/dev/null; }
give_project() {
  local sum
  mkdir -p "$scratch/user/project" "$scratch/user/bundle" "$scratch/user/config/slipway"
  cp "$SLIPWAY" "$scratch/user/program"
  cp slipway.toml slipway.lock "$scratch/user/project"
  for sum in $(sed -n 's/^sha256 = "\(.*\)"/\1/p' slipway.lock); do
    find "$SLIPWAY_CACHE/files" -type f -path "*$sum*" -exec cp {} "$scratch/user/bundle" \;
  done
  printf '[bundle]\nfolders = ["%s"]\n' "$scratch/user/bundle" >"$scratch/user/config/slipway/config.toml"
  chown -R slipway-test "$scratch/user"
}
as_user() {
  setpriv --reuid slipway-test --regid slipway-test --init-groups --reset-env \
    env SLIPWAY_HOME="$scratch/user/store" SLIPWAY_CACHE="$scratch/user/cache" XDG_CONFIG_HOME="$scratch/user/config" NO_COLOR=1 "$@"
}
