# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# The tunnels that a benchmark compares, all up for the whole time: each has a way in of its own.
#
#     direct      none: the server host forwards
#     vpnr        SOCKS5 at 1080
#     ssh         ssh -D, SOCKS5 at 1081, to an sshd of our own on the server host
#     sshuttle    takes what goes to a second address of the web host; by ssh to the same sshd
#
# Sourced after lib.sh.

# The second address. Without sshuttle no way leads there.
readonly SHUTTLED=10.77.2.3

declare -A tunnel=() # process ids by name: ssh, sshuttle, sshd

# start_tunnels NAME...: those of them that are installed; then in $tunnels
start_tunnels() {
	local one
	tunnels=()
	for one; do
		case $one in
		direct | vpnr | ssh | sshuttle) ;;
		*) bail "\"$one\" is none of direct, vpnr, ssh, sshuttle" ;;
		esac
		if "start_$one"; then
			tunnels+=("$one")
		else
			say "goes on without $one"
		fi
	done
}

# reach TUNNEL: how applications get to the web host by it, in $via and $address
reach() {
	via=()
	address=$WEB4
	case $1 in
	vpnr) via=(-x 127.0.0.1:1080) ;;
	ssh) via=(-x 127.0.0.1:1081) ;;
	sshuttle) address=$SHUTTLED ;;
	esac
}

start_direct() {
	:
}

# has TOOL...: all of them, or it says which is missing
has() {
	local tool
	for tool; do
		if ! PATH=$PATH:/usr/sbin:/sbin command -v "$tool" >/dev/null; then
			say "$tool is not installed"
			return 1
		fi
	done
}

start_ssh() {
	local options
	has ssh && start_sshd || return 1
	read -ra options <<<"$(ssh_options)"
	spawn ssh "$app" ssh -N -D 127.0.0.1:1081 "${options[@]}" "root@$SRV4"
	tunnel[ssh]=$spawned
	await 20 listens "$app" 1081
}

start_sshuttle() {
	has sshuttle ssh && start_sshd || return 1
	ip -n "$web" address add $SHUTTLED/24 dev "c2-$$"
	as_root iptables -A OUTPUT -d $SHUTTLED -p tcp -j REJECT --reject-with tcp-reset
	spawn sshuttle "$app" sshuttle --method nat --listen 127.0.0.1:1082 --remote "root@$SRV4" \
		--ssh-cmd "ssh $(ssh_options)" $SHUTTLED/32
	tunnel[sshuttle]=$spawned
	await 30 logged sshuttle "Connected"
}

start_sshd() {
	[ -z "${tunnel[sshd]:-}" ] || return 0
	local sshd
	has sshd ssh-keygen || return 1
	case $(getent shadow root | cut -d: -f2) in
	!*)
		say "root is locked on this machine, and sshd refuses locked users"
		return 1
		;;
	esac
	# sshd wants this folder and the system's unit makes it.
	if [ ! -e /run/sshd ]; then
		mkdir -m 755 /run/sshd
		leave_folder=/run/sshd
	fi
	ssh-keygen -q -t ed25519 -N '' -f "$work/host_key"
	ssh-keygen -q -t ed25519 -N '' -f "$work/user_key"
	echo "$SRV4 $(cat "$work/host_key.pub")" >"$work/known_hosts"
	cat >"$work/sshd_config" <<-END
		Port 22
		HostKey $work/host_key
		AuthorizedKeysFile $work/user_key.pub
		PidFile none
		StrictModes no
		UsePAM no
		PasswordAuthentication no
		PermitRootLogin prohibit-password
	END
	sshd=$(PATH=$PATH:/usr/sbin:/sbin command -v sshd)
	spawn sshd "$srv" "$sshd" -D -e -f "$work/sshd_config"
	tunnel[sshd]=$spawned
	await 20 listens "$srv" 22
}

ssh_options() {
	echo "-F none -i $work/user_key -o UserKnownHostsFile=$work/known_hosts -o BatchMode=yes" \
		"-o IdentitiesOnly=yes"
}

# tree PID...: they and all that they have started
tree() {
	local pid
	for pid; do
		echo "$pid"
		# shellcheck disable=SC2046 # one id a word
		tree $(cat "/proc/$pid/task/"*/children 2>/dev/null)
	done
}

# cpu_seconds TUNNEL: what its processes at both ends have used so far; the kernel's work for
# sockets is theirs as far as it runs in their calls
cpu_seconds() {
	local pid ends=()
	case $1 in
	direct) ;;
	vpnr) ends=("${daemon[client]}" "${daemon[server]}") ;;
	*) ends=("${tunnel[$1]}" "${tunnel[sshd]}") ;;
	esac
	for pid in $(tree "${ends[@]}"); do
		cat "/proc/$pid/stat"
	done 2>/dev/null | sed 's/^.*) //' |
		awk -v hz="$(getconf CLK_TCK)" '{ ticks += $12 + $13 } END { printf "%.2f", ticks / hz }'
}
