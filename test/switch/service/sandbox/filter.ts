import { execFileSync } from 'node:child_process'

/** The system calls of sets such as `@system-service`, as systemd has them. */
function systemCalls(set: string): string[] {
  if (!set.startsWith('@')) return [set]
  const args = ['--no-pager', 'syscall-filter', set]
  const lines = execFileSync('systemd-analyze', args, { encoding: 'utf8' }).split('\n')
  return lines
    .map((line) => line.trim())
    .filter((line) => line !== '' && line !== set && !line.startsWith('#'))
    .flatMap(systemCalls)
}

/**
 * A program that installs the unit's filter and becomes what its arguments say: system calls that are not listed,
 * sockets of other families and new namespaces are refused; clone3 is not there, so that clone is taken.
 */
export function filterSource(unit: ReadonlyMap<string, readonly string[]>): string {
  const calls = [...new Set((unit.get('SystemCallFilter') ?? []).flatMap(systemCalls))]
  // Not every machine has each of them.
  const listed = calls.map((call) => `#ifdef SYS_${call}\n  SYS_${call},\n#endif`)
  const families = unit.get('RestrictAddressFamilies') ?? []
  return `
#define _GNU_SOURCE
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define NATIVE AUDIT_ARCH_X86_64
#else
#define NATIVE AUDIT_ARCH_AARCH64
#endif
#define MOST 600
#define NAMESPACES                                                                     \\
  (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | \\
   CLONE_NEWNET)
#define LOAD(at) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, at))
#define UNLESS(value) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1)
#define ANSWER(what) BPF_STMT(BPF_RET | BPF_K, what)
#define ALLOW SECCOMP_RET_ALLOW
#define REFUSE (SECCOMP_RET_ERRNO | ${unit.get('SystemCallErrorNumber')})

static const unsigned calls[] = {
${listed.join('\n')}
};
static const unsigned families[] = {${families}};
// Calls whose arguments are looked at.
static int is_apart(unsigned call) {
  return call == SYS_socket || call == SYS_clone || call == SYS_clone3 || call == SYS_unshare ||
         call == SYS_setns;
}

static struct sock_filter code[4 * MOST];

int main(int argc, char** argv) {
  struct sock_fprog filter = {0, code};
#define ADD(...) code[filter.len++] = (struct sock_filter)__VA_ARGS__
  if (argc < 2 || sizeof(calls) / sizeof(*calls) > MOST) return 2;
  ADD(LOAD(arch));
  ADD(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NATIVE, 1, 0));
  ADD(ANSWER(REFUSE));
  ADD(LOAD(nr));
  for (unsigned i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
    if (is_apart(calls[i])) continue;
    ADD(UNLESS(calls[i]));
    ADD(ANSWER(ALLOW));
  }
  ADD(UNLESS(SYS_clone3));
  ADD(ANSWER(SECCOMP_RET_ERRNO | ENOSYS));
  // Both have the flags first.
  ADD(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 1, 0));
  ADD(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_unshare, 0, 4));
  ADD(LOAD(args[0]));
  ADD(BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, NAMESPACES, 0, 1));
  ADD(ANSWER(REFUSE));
  ADD(ANSWER(ALLOW));
  ADD(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 1, 0));
  ADD(ANSWER(REFUSE));
  ADD(LOAD(args[0]));
  for (unsigned i = 0; i < sizeof(families) / sizeof(*families); i++) {
    ADD(UNLESS(families[i]));
    ADD(ANSWER(ALLOW));
  }
  ADD(ANSWER(REFUSE));
  if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0) {
    perror("seccomp");
    return 2;
  }
  execvp(argv[1], argv + 1);
  perror(argv[1]);
  return 2;
}
`
}
