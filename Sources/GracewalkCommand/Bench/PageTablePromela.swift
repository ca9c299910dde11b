// The page-table benchmark for SPIN, written as somebody who wants it to be fast would.

/// `PageTableBenchmark` in Promela: the same steps, one shared access each.
///
/// Local computation is folded into the access before it, locals are cleared when they are dead,
/// and processes end by waiting forever in a valid end state, so that SPIN has as few states as
/// the program allows. The number of mappers is the macro `N`.
enum PageTablePromela {
  static let source = """
    #ifndef N
    #define N 2
    #endif
    #define LOCKED 1
    #define BLOCK 2
    #define PAGE 2
    #define FIRST 16

    byte slot[2];
    byte entry[2 * N];
    bool allocated[N];
    bool dead[N];

    #define SLOT slot[(me % 4) / 2]
    #define ENTRY entry[(table - FIRST) * 2 + me % 2]

    proctype mapper(byte me) {
      byte table;
      atomic {
        table = SLOT;
        if
        :: table == 0 -> skip
        :: table >= FIRST -> goto descend
        :: else -> table = 0; goto rest
        fi
      }
      atomic {
        if
        :: SLOT == 0 -> SLOT = LOCKED
        :: else -> goto rest
        fi
      }
      d_step { table = FIRST + me; SLOT = table; allocated[me] = true }
    descend:
      atomic {
        if
        :: ENTRY == 0 -> skip
        :: else -> table = 0; goto rest
        fi
      }
      atomic {
        if
        :: ENTRY == 0 -> ENTRY = LOCKED
        :: else -> table = 0; goto rest
        fi
      }
      d_step { ENTRY = PAGE; table = 0 }
    rest:
    end:
      false
    }

    proctype collapser() {
      byte table, seen, index;
      atomic {
        table = slot[0];
        if
        :: table < FIRST -> table = 0; goto rest
        :: else
        fi
      }
      atomic {
        if
        :: slot[0] == table -> slot[0] = LOCKED
        :: else -> table = 0; goto rest
        fi
      }
      slot[0] = BLOCK;
    visit:
      atomic {
        seen = entry[(table - FIRST) * 2 + index];
        if
        :: seen == LOCKED -> seen = 0; goto advance
        :: else
        fi
      }
      atomic {
        if
        :: entry[(table - FIRST) * 2 + index] == seen ->
          if
          :: seen == PAGE -> entry[(table - FIRST) * 2 + index] = 0
          :: else -> entry[(table - FIRST) * 2 + index] = LOCKED
          fi
        :: else
        fi;
        seen = 0;
    advance:
        index = index + 1;
        if
        :: index < 2 -> goto visit
        :: else -> dead[table - FIRST] = true; table = 0; index = 0
        fi
      }
    rest:
    end:
      false
    }

    init {
      byte k;
      atomic {
        do
        :: k < N -> run mapper(k); k = k + 1
        :: else -> break
        od;
        run collapser();
        k = 0
      }
      timeout;
      d_step {
        do
        :: k < N ->
          assert(!allocated[k] || slot[0] == FIRST + k || slot[1] == FIRST + k || dead[k]);
          k = k + 1
        :: else -> break
        od;
        k = 0
      }
    }

    """
}
