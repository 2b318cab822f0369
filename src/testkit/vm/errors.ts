/**
 * The one error the virtual machines raise.
 *
 * @packageDocumentation
 */

/**
 * What went wrong, for code to branch on:
 *
 * - `ERR_VM_OPTION`: an option is invalid; the message names it.
 * - `ERR_VM_MISSING`: QEMU, BusyBox or the guest kernel is not there; the message says how to get it.
 * - `ERR_VM_ENDED`: QEMU ended, or the machine was closed.
 * - `ERR_VM_GUEST`: the guest's own start-up failed.
 * - `ERR_VM_RESET`: the guest was reset while a command ran.
 * - `ERR_VM_TIMEOUT`: the time given to an operation is over.
 */
export type VirtualMachineErrorCode =
  | 'ERR_VM_OPTION'
  | 'ERR_VM_MISSING'
  | 'ERR_VM_ENDED'
  | 'ERR_VM_GUEST'
  | 'ERR_VM_RESET'
  | 'ERR_VM_TIMEOUT'

/** Something about a virtual machine failed. */
export class VirtualMachineError extends Error {
  override readonly name = 'VirtualMachineError'
  readonly code: VirtualMachineErrorCode
  /** What a command that was cut short had written until then. */
  readonly output: string

  constructor(code: VirtualMachineErrorCode, message: string, output = '') {
    super(message)
    this.code = code
    this.output = output
  }
}
