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
# Sourced after lib.sh. peers.sh adds more.

# What a tunnel has, by its name. A way in: a SOCKS5 proxy, an address that it takes, or neither; and
# its processes at both ends, their ids in a row. vpnr's are in $daemon.
declare -A proxy=([vpnr]=127.0.0.1:1080 [ssh]=127.0.0.1:1081)
declare -A captured=([sshuttle]=10.77.2.3) # without it no way leads there
declare -A near=() far=()
known=(direct vpnr ssh sshuttle)

# start_tunnels NAME...: those of them that are installed; then in $tunnels
start_tunnels() {
	local one
	tunnels=()
	second_address
	for one; do
		[[ " ${known[*]} " = *" $one "* ]] || bail "\"$one\" is none of ${known[*]}"
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
	[ -z "${proxy[$1]:-}" ] || via=(-x "${proxy[$1]}")
	address=${captured[$1]:-$WEB4}
}

# The web host's second address, which only sshuttle leads to.
second_address() {
	ip -n "$web" address add "${captured[sshuttle]}/24" dev "c2-$$"
	as_root iptables -A OUTPUT -d "${captured[sshuttle]}" -p tcp -j REJECT --reject-with tcp-reset
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
	near[ssh]=$spawned far[ssh]=$sshd_pid
	await 20 listens "$app" 1081
}

start_sshuttle() {
	has sshuttle ssh && start_sshd || return 1
	: >"$work/sshuttle.log"
	spawn sshuttle "$app" sshuttle --method nat --listen 127.0.0.1:1082 --remote "root@$SRV4" \
		--ssh-cmd "ssh $(ssh_options)" "${captured[sshuttle]}/32"
	near[sshuttle]=$spawned far[sshuttle]=$sshd_pid
	await 30 logged sshuttle "Connected"
}

start_sshd() {
	gone "${sshd_pid:-none}" || return 0
	local sshd key
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
	for key in host_key user_key; do
		[ -e "$work/$key" ] || ssh-keygen -q -t ed25519 -N '' -f "$work/$key"
	done
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
	sshd_pid=$spawned
	await 20 listens "$srv" 22
}

ssh_options() {
	echo "-F none -i $work/user_key -o UserKnownHostsFile=$work/known_hosts -o BatchMode=yes" \
		"-o IdentitiesOnly=yes" ${ssh_cipher:+-c "$ssh_cipher"}
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

# ends TUNNEL near|far|both: the ids of its processes there
ends() {
	local all=""
	[ "$1" != vpnr ] || near[vpnr]=${daemon[client]} far[vpnr]=${daemon[server]}
	[ "$2" = far ] || all+=" ${near[$1]:-}"
	[ "$2" = near ] || all+=" ${far[$1]:-}"
	# shellcheck disable=SC2086 # one id a word
	tree $all
}

# cpu_seconds TUNNEL: what its processes at both ends have used so far; the kernel's work for
# sockets is theirs as far as it runs in their calls
cpu_seconds() {
	local pid
	for pid in $(ends "$1" both); do
		cat "/proc/$pid/stat"
	done 2>/dev/null | sed 's/^.*) //' |
		awk -v hz="$(getconf CLK_TCK)" '{ ticks += $12 + $13 } END { printf "%.2f", ticks / hz }'
}
