;; Content-defined chunking as restic does it: a Rabin fingerprint over the last 64 bytes, all arithmetic in GF(2)[x]
;; modulo an irreducible polynomial of degree 53. A cut follows each byte at which the low 20 bits of the fingerprint
;; are zero. Minimum and maximum sizes are the caller's business (chunker.ts).
;;
;; After 64 bytes the fingerprint depends on these 64 bytes only, so it needs no state between calls: the caller puts
;; the 64 bytes that go before in front of the bytes to be scanned. For the same reason one call can scan two halves
;; side by side, which hides the latency of the table look-up that each step waits for.
;;
;; Memory: 0     leave, 256 x i64: what a byte that leaves the window must take out of the fingerprint
;;         2048  reduce, 256 x i64: what takes the byte shifted past degree 53 back below it
;;         4096  the 64 bytes that go before
;;         4160  the bytes to be scanned
(module
  (memory (export "memory") 2)

  ;; x mod p for any x below 2^63; p has degree 53.
  (func $mod (param $x i64) (param $p i64) (result i64)
    (local $bit i64)
    (local.set $bit (i64.const 62))
    (loop $next
      (if (i64.ne (i64.and (i64.shr_u (local.get $x) (local.get $bit)) (i64.const 1)) (i64.const 0))
        (then
          (local.set $x (i64.xor (local.get $x)
            (i64.shl (local.get $p) (i64.sub (local.get $bit) (i64.const 53)))))))
      (local.set $bit (i64.sub (local.get $bit) (i64.const 1)))
      (br_if $next (i64.ge_s (local.get $bit) (i64.const 53))))
    (local.get $x))

  ;; Fills both tables for a polynomial.
  (func (export "init") (param $p i64)
    (local $byte i32) (local $hash i64) (local $zeros i32) (local $top i64)
    (loop $each
      (local.set $hash (i64.extend_i32_u (local.get $byte)))
      (local.set $zeros (i32.const 64))
      (loop $shift
        (local.set $hash (call $mod (i64.shl (local.get $hash) (i64.const 8)) (local.get $p)))
        (local.set $zeros (i32.sub (local.get $zeros) (i32.const 1)))
        (br_if $shift (local.get $zeros)))
      (i64.store (i32.shl (local.get $byte) (i32.const 3)) (local.get $hash))
      (local.set $top (i64.shl (i64.extend_i32_u (local.get $byte)) (i64.const 53)))
      (i64.store offset=2048 (i32.shl (local.get $byte) (i32.const 3))
        (i64.or (local.get $top) (call $mod (local.get $top) (local.get $p))))
      (local.set $byte (i32.add (local.get $byte) (i32.const 1)))
      (br_if $each (i32.lt_u (local.get $byte) (i32.const 256)))))

  ;; Takes one byte into a fingerprint.
  (func $enter (param $digest i64) (param $byte i32) (result i64)
    (i64.xor
      (i64.or (i64.shl (local.get $digest) (i64.const 8)) (i64.extend_i32_u (local.get $byte)))
      (i64.load offset=2048
        (i32.shl (i32.wrap_i64 (i64.shr_u (local.get $digest) (i64.const 45))) (i32.const 3)))))

  ;; The fingerprint of the 64 bytes before `at`.
  (func $fingerprint (param $at i32) (result i64)
    (local $digest i64) (local $from i32)
    (local.set $from (i32.sub (local.get $at) (i32.const 64)))
    (loop $next
      (local.set $digest (call $enter (local.get $digest) (i32.load8_u (local.get $from))))
      (local.set $from (i32.add (local.get $from) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $from) (local.get $at))))
    (local.get $digest))

  ;; Slides the window over the byte at `at`.
  (func $slide (param $digest i64) (param $at i32) (result i64)
    (i64.xor
      (call $enter (local.get $digest) (i32.load8_u (local.get $at)))
      (i64.load (i32.shl (i32.load8_u (i32.sub (local.get $at) (i32.const 64))) (i32.const 3)))))

  (func $cuts (param $digest i64) (result i32)
    (i64.eqz (i64.and (local.get $digest) (i64.const 0xfffff))))

  ;; How many of the `length` bytes belong before the first cut; 0 when none of them is followed by a cut.
  (func (export "scan") (param $length i32) (result i32)
    (local $half i32) (local $near i32) (local $far i32) (local $middle i32)
    (local $first i64) (local $second i64) (local $late i32)
    (local.set $half (i32.shr_u (local.get $length) (i32.const 1)))
    (local.set $near (i32.const 4160))
    (local.set $middle (i32.add (local.get $near) (local.get $half)))
    (local.set $far (local.get $middle))
    (local.set $first (call $fingerprint (local.get $near)))
    (local.set $second (call $fingerprint (local.get $far)))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $near) (local.get $middle)))
        (local.set $first (call $slide (local.get $first) (local.get $near)))
        (local.set $second (call $slide (local.get $second) (local.get $far)))
        (local.set $near (i32.add (local.get $near) (i32.const 1)))
        (local.set $far (i32.add (local.get $far) (i32.const 1)))
        (if (call $cuts (local.get $first))
          (then (return (i32.sub (local.get $near) (i32.const 4160)))))
        (if (call $cuts (local.get $second))
          (then
            (if (i32.eqz (local.get $late))
              (then (local.set $late (i32.sub (local.get $far) (i32.const 4160)))))))
        (br $next)))
    (if (local.get $late) (then (return (local.get $late))))
    (if (i32.and (local.get $length) (i32.const 1))
      (then
        (if (call $cuts (call $slide (local.get $second) (local.get $far)))
          (then (return (local.get $length))))))
    (i32.const 0)))
