// The C programs of the catalogue, as files that the binary has inside.

/// The files of the folder `C`.
public enum Programs {
  public static let files: [(name: String, bytes: [UInt8])] = [
    ("chase-lev-late-claim.c", PackageResources.chase_lev_late_claim_c),
    ("chase-lev-uncontested.c", PackageResources.chase_lev_uncontested_c),
    ("chase-lev.c", PackageResources.chase_lev_c),
    ("counter-locked.c", PackageResources.counter_locked_c),
    ("counter.c", PackageResources.counter_c),
    ("left-right-impatient.c", PackageResources.left_right_impatient_c),
    ("left-right-one-drain.c", PackageResources.left_right_one_drain_c),
    ("left-right.c", PackageResources.left_right_c),
    ("mcs-lock-impatient.c", PackageResources.mcs_lock_impatient_c),
    ("mcs-lock.c", PackageResources.mcs_lock_c),
    ("message-freed.c", PackageResources.message_freed_c),
    ("message-relaxed.c", PackageResources.message_relaxed_c),
    ("message.c", PackageResources.message_c),
    ("michael-scott-free.c", PackageResources.michael_scott_free_c),
    ("michael-scott-store.c", PackageResources.michael_scott_store_c),
    ("michael-scott.c", PackageResources.michael_scott_c),
    ("peterson-turn-first.c", PackageResources.peterson_turn_first_c),
    ("peterson.c", PackageResources.peterson_c),
    ("seqlock-even.c", PackageResources.seqlock_even_c),
    ("seqlock.c", PackageResources.seqlock_c),
    ("ticket-lock-relaxed.c", PackageResources.ticket_lock_relaxed_c),
    ("ticket-lock-two-steps.c", PackageResources.ticket_lock_two_steps_c),
    ("ticket-lock.c", PackageResources.ticket_lock_c),
    ("treiber-without-tag.c", PackageResources.treiber_without_tag_c),
    ("treiber.c", PackageResources.treiber_c),
  ]
}
