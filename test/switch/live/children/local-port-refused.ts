/** Without CAP_NET_ADMIN: what a local port needs is said, and the switch runs without it. */
import assert from 'node:assert/strict'
import { Stage } from '../stage.js'

await using stage = await Stage.start(() => ({
  bridges: [{ name: 'br0', local: { iface: 'vsw0' } }],
}))
const line = stage.lines.find((one) => one.startsWith('error local port vsw0')) ?? ''
assert.match(
  line,
  /^error local port vsw0 of bridge br0: failed: .*; a local port needs the capability CAP_NET_ADMIN, which .* run it as root/,
)
assert.deepEqual(stage.switch.ports(), [])
