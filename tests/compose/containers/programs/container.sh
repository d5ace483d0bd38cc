#!/bin/sh
# container.sh ROOT ro|rw WORKDIR [SOURCE TARGET ro|rw|tmpfs|link]... -- COMMAND...
# Runs in a mount namespace of its own: mounts a root, shows in it what is listed, and runs the command in it.
set -eu
umask 022
root=$1 root_mode=$2 workdir=$3
shift 3

mount -t tmpfs -o mode=0755 tmpfs "$root"
while [ "$1" != -- ]; do
    source=$1 target=$root$2 mode=$3
    shift 3
    mkdir -p "${target%/*}"
    case $mode in
        link) ln -s "$source" "$target" ;;
        tmpfs) mkdir -p "$target" && mount -t tmpfs -o mode=1777 tmpfs "$target" ;;
        *)
            if [ -d "$source" ]; then mkdir -p "$target"; else : > "$target"; fi
            mount --rbind "$source" "$target"
            if [ "$mode" = ro ]; then mount -o remount,bind,ro "$target"; fi
            ;;
    esac
done
shift
mkdir -p "$root$workdir" "$root/run"
if [ "$root_mode" = ro ]; then mount -o remount,ro "$root"; fi

# shellcheck disable=SC2016  # the inner shell reads its own words
exec chroot "$root" /bin/sh -c 'cd "$1" && shift && exec "$@"' sh "$workdir" "$@"
