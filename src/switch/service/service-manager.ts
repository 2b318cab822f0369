import { notifySystemd } from 'dpdk-vhost'
import type { SwitchLog } from '../live/log.js'

/** The states of this service, as systemd wants to hear them; without systemd nobody does. */
export class ServiceManager {
  readonly #log: SwitchLog
  #failed = false

  constructor(log: SwitchLog) {
    this.#log = log
  }

  ready(status: string): void {
    this.#notify(`READY=1\nSTATUS=${oneLine(status)}`)
  }

  /** To be followed by {@link ready}. */
  reloading(): void {
    // systemd tells by the time, that of CLOCK_MONOTONIC, which reload a READY=1 belongs to.
    const microseconds = process.hrtime.bigint() / 1000n
    this.#notify(`RELOADING=1\nMONOTONIC_USEC=${microseconds}\nSTATUS=reloading`)
  }

  stopping(): void {
    this.#notify('STOPPING=1\nSTATUS=stopping')
  }

  status(status: string): void {
    this.#notify(`STATUS=${oneLine(status)}`)
  }

  watchdog(): void {
    this.#notify('WATCHDOG=1')
  }

  #notify(state: string): void {
    try {
      notifySystemd(state)
    } catch (error) {
      // Told once: a service manager that is gone stays so, and the switch goes on without.
      if (!this.#failed) this.#log.warn((error as Error).message, { event: 'service_manager' })
      this.#failed = true
    }
  }
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ')
}
