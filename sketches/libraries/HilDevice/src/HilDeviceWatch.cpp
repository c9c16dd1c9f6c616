/* HilDevice's requests about single ops: WATCH, OPS and TAP. */
#include "HilDevice.h"
#include "hil_requests.h"

void HilDevice::on_watch(HilIn &in) {
  const uint32_t wanted = in.u32();
  const uint16_t first = in.u16(), stop_after = in.u16();
  const bool crcs = in.u8() != 0;
  const uint32_t input_crc = crc_of_all(false);
  uint16_t status = may_run(in, wanted, input_crc, true);
  uint64_t ticks = 0;
  const bool ran = status == HIL_OK;
  if (ran) {
    config_.watch->start(clock_, first, stop_after, crcs);
    const bool ended = run(&ticks) == kTfLiteOk;
    if (!ended && !config_.watch->stopped()) status = HIL_INVOKE_FAILED;
    if (ended && stop_after != HIL_WATCH_ALL) status = HIL_BAD_ARG; /* no such op */
  }
  keep(WATCH);
  keep16(status);
  keep32(input_crc);
  keep32(status == HIL_OK && stop_after == HIL_WATCH_ALL ? crc_of_all(true) : 0);
  keep32((uint32_t)ticks);
  keep32((uint32_t)(ticks >> 32));
  keep16(ran ? config_.watch->ops() : 0);
  keep16(ran ? config_.watch->kept() : 0);
  keep32(ran ? config_.watch->empty() : 0);
  send_kept();
}

void HilDevice::on_ops() {
  reply(OPS);
  out_.u16(!loaded_ ? HIL_NOT_LOADED : watched_ ? HIL_OK : HIL_WRONG_LOAD);
  for (uint16_t i = 0; watching() && i < config_.watch->kept(); ++i) {
    const HilSeen &seen = config_.watch->seen(i);
    out_.u16(seen.op);
    out_.u16(seen.code);
    out_.u32(seen.ticks);
    out_.u32(seen.crc);
  }
  out_.end();
}

void HilDevice::on_tap(HilIn &in) {
  const uint8_t index = in.u8();
  const uint32_t offset = in.u32(), size = in.u32();
  const bool stopped = watching() && config_.watch->stopped();
  const hil_tflm::Raw raw = stopped ? config_.watch->output(index) : hil_tflm::Raw();
  const bool fits = raw.data && in.done() && size <= kTxMax && offset <= raw.bytes &&
                    size <= raw.bytes - offset;
  reply(TAP);
  out_.u16(fits ? HIL_OK : !loaded_ ? HIL_NOT_LOADED : stopped ? HIL_BAD_ARG : HIL_WRONG_LOAD);
  out_.u32(fits ? (uint32_t)raw.bytes : 0);
  out_.u32(offset);
  if (fits) out_.bytes(raw.data + offset, size);
  out_.end();
}
