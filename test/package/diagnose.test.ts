import assert from 'node:assert/strict'
import { test } from 'node:test'
import { diagnose } from '../../src/native/diagnose.js'
import type { BinaryFacts, LoadFacts } from '../../src/native/load-facts.js'

const binary: BinaryFacts = {
  file: '/somewhere/dpdk_vhost.node',
  exists: true,
  arch: 'x64',
  libc: 'glibc',
  libraries: ['librte_vhost.so.23', 'librte_eal.so.23', 'librte_net_e1000.so.23', 'libc.so.6'],
}

const facts: LoadFacts = {
  runtime: { arch: 'x64', libc: 'glibc' },
  binary,
  chosenByUser: false,
  prebuilds: ['linux-x64/dpdk-vhost.glibc.node'],
  dpdkAbis: [],
}

const missingVhost = new Error(
  'librte_vhost.so.23: cannot open shared object file: No such file or directory',
)

test('a missing library of DPDK is told with every Debian package the addon needs', () => {
  const { problem, message } = diagnose(missingVhost, facts)
  assert.equal(problem, 'missing-library')
  assert.match(message, /needs the shared library librte_vhost\.so\.23/)
  assert.match(message, /DPDK 22\.11/)
  assert.match(
    message,
    /apt-get install librte-eal23 librte-net-e1000-23 librte-vhost23 librte-meta-mempool /m,
  )
  assert.doesNotMatch(message, /rebuild/)
})

test('another DPDK on the machine means a rebuild', () => {
  const { message } = diagnose(missingVhost, { ...facts, dpdkAbis: [24] })
  assert.match(message, /has DPDK 23\.11 \(ABI 24\) instead/)
  assert.match(message, /npm run rebuild-native/)
})

test('an older DPDK beside the right one means no rebuild', () => {
  const { message } = diagnose(missingVhost, { ...facts, dpdkAbis: [22, 23] })
  assert.doesNotMatch(message, /rebuild/)
})

test('musl words the same in its own way', () => {
  const error = new Error(
    'Error loading shared library librte_vhost.so.23: No such file or directory (needed by /somewhere/dpdk_vhost.node)',
  )
  const onMusl: LoadFacts = {
    ...facts,
    runtime: { arch: 'x64', libc: 'musl' },
    binary: { ...binary, libc: 'musl' },
  }
  assert.equal(diagnose(error, onMusl).problem, 'missing-library')
})

test('a missing library that is not of DPDK is named without guessing its package', () => {
  const error = new Error('libnuma.so.1: cannot open shared object file: No such file or directory')
  const { problem, message } = diagnose(error, facts)
  assert.equal(problem, 'missing-library')
  assert.match(message, /libnuma\.so\.1/)
  assert.doesNotMatch(message, /apt-get/)
})

test('too old system libraries are told apart from other failures', () => {
  const error = new Error(
    "/lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.38' not found (required by /somewhere/dpdk_vhost.node)",
  )
  const { problem, message } = diagnose(error, facts)
  assert.equal(problem, 'libc')
  assert.match(message, /GLIBC_2\.38/)
})

test('no binary at all lists what the package has', () => {
  const { problem, message } = diagnose(new Error('No native build was found'), {
    ...facts,
    binary: undefined,
    runtime: { arch: 'arm64', libc: 'glibc' },
  })
  assert.equal(problem, 'not-found')
  assert.match(message, /linux-arm64 with glibc/)
  assert.match(message, /linux-x64\/dpdk-vhost\.glibc\.node/)
  assert.match(message, /npm run build/)
})

test('what nobody foresaw is repeated as it is', () => {
  const error = new Error('Module did not self-register')
  const { problem, message } = diagnose(error, facts)
  assert.equal(problem, 'load-failed')
  assert.match(message, /Module did not self-register/)
})
