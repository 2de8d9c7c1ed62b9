# Sourced by runs_*.sh: the program itself, as root and as an ordinary user, each with a store that
# holds one image of busybox, `box`. See run_common.sh for the rest.
. "$(dirname "$0")/run_common.sh"
slipway=${SLIPWAY:-${SLIPWAY_BUILD:-$here/../../build}/slipway}
[ -x "$slipway" ] || skip "no program $slipway: build slipway, or set SLIPWAY"
cp "$slipway" "$work/slipway"

make_box() { # make_box FOLDER: a store in it, from its tree
  mkdir -p "$1/tree/usr/bin"
  mv "$1/tree/bin/catatonit" "$1/tree/usr/bin/catatonit"
  python3 "$here/make_store.py" "$1/store" "$1/tree" || exit 1
}
# A PATH on which runc is the only runtime.
mkdir "$work/runc-bin"
for program in runc newuidmap newgidmap; do
  path=$(PATH=$PATH:/usr/sbin command -v $program) && ln -s "$path" "$work/runc-bin/$program"
done
make_box "$work"
if [ $has_user = yes ]; then
  make_box "$work/user"
  # The layer's owners are those of the namespace, all else is the user's.
  layer=$(ls -d "$work"/user/store/layers/*)
  mv "$layer" "$work/user/layer"
  chown -hR "$user_id:$user_id" "$work/user/store"
  mv "$work/user/layer" "$layer"
fi

path_for() { if [ "$1" = runc ]; then echo "$work/runc-bin"; else echo "$PATH"; fi; }
# sw WHO RUNTIME ARGUMENTS…
sw() {
  sw_who=$1
  sw_path=$(path_for "$2")
  shift 2
  if [ $sw_who = as_root ]; then
    env PATH="$sw_path" SLIPWAY_HOME="$work/store" NO_COLOR=1 "$work/slipway" "$@"
  else
    (cd "$work/user" && setpriv --reuid slipway-test --regid slipway-test --init-groups --reset-env \
      env PATH="$sw_path" SLIPWAY_HOME="$work/user/store" NO_COLOR=1 "$work/slipway" "$@")
  fi
}
store_of() { echo "$(folder_of $1)/store"; }
# The bundle of a run that lives, which only its room and its monitor see.
bundle_of() { # WHO ID
  bundle_room=$(sed -n 's/.*"room_pid": \([0-9]*\).*/\1/p' "$(store_of $1)/runs/$2/state.json" 2>/dev/null)
  echo "/proc/${bundle_room:-0}/root$(store_of $1)/runs/$2/live/bundle/config.json"
}
