/** Support: the processor time that something takes. Unlike that of a clock, it hardly grows when the machine has much to do. */

/** @returns milliseconds of this process since the call */
export function cpuTimer(): () => number {
  const started = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(started);
    return (user + system) / 1000;
  };
}
