/*
 * One instance of the table store: its row, its inbox and its doorbells. Three
 * senders of a message each, of which the first is the start that makes the
 * instance, and two workers. Everybody may die between any two requests, answers
 * may be lost, leases may run out. docs/model.md says what is modelled, and what
 * not. Names of functions are those of engine/store/tablestore.
 *
 * A step is one request to storage. Where two are one step, the second touches
 * nothing but a doorbell that its sender holds the pop receipt of, so that it makes
 * no difference to others whether it comes at once or later, but for their
 * receiving the doorbell before, which is a step of its own. A request that is
 * refused changes nothing, and is one step with the reading that follows.
 *
 * -DMUTANT=n plants a mistake; 0 is the protocol as it is built.
 */
#ifndef MUTANT
#define MUTANT 0
#endif
#define START 0               /* the message that makes the instance */
#define WORKER 3              /* the first of the workers */

/* What became of a doorbell; or who received it: a worker, and nobody else has its pop receipt. */
#define ABSENT 0
#define RINGS 1
#define HIDDEN 2              /* by its sender, who put it and has not revealed it */

/* Storage. It outlives everybody. */
bool exists;                  /* the row */
bool inbox[3];                /* written, not yet in the history */
byte recorded[3];             /* how often it is in the history */
byte bell[3];                 /* the doorbell that a sender put */
bool relied[3];               /* the doorbell says that a write relies on it which may be under way */

bool owed[3];                 /* its sender was told that it is accepted, and it is not in the history */
bool starting = true;         /* the start's sender is alive and not done */

/*
 * Whose last reading of the row has the row's ETag: senders by their message,
 * workers by their number. An ETag never comes again, so this is all there is to
 * know of it, and the states stay finitely many.
 */
bool fresh[5];
#define changeRow fresh[0] = false; fresh[1] = false; fresh[2] = false; fresh[3] = false; fresh[4] = false

#define waits     (inbox[0] || inbox[1] || inbox[2])

/* What is written and waits has a doorbell, whoever dies. */
#define rung      (!waits || bell[0] != ABSENT || bell[1] != ABSENT || bell[2] != ABSENT)
/* A message is at one place at most, and once. */
#define once(m)   (recorded[m] + inbox[m] <= 1)
/* What was accepted is there. */
#define kept(m)   (!owed[m] || inbox[m])
/* What was accepted is passed over by nothing that comes later. */
#define inTurn    (!owed[0] && !owed[1] && !owed[2])
/* All but the last is checked after every change of storage. */
#define promises  assert(rung); assert(once(0)); assert(once(1)); assert(once(2)); assert(kept(0)); assert(kept(1)); assert(kept(2))

/* A new doorbell in place of the one there was. */
#define put(m)         bell[m] = HIDDEN; relied[m] = true
/* Out of the queue with it, if the pop receipt is good. */
#define remove(m, who) if :: bell[m] == who -> bell[m] = ABSENT; relied[m] = false :: else fi
/* Its holder is gone. It rings when the lease is over, and is received then or later. */
#define leave(m, who)  if :: bell[m] == who -> bell[m] = RINGS :: else fi

/*
 * Create and Send: put a hidden doorbell, write the message in one transaction
 * with a change of the row as it was read, reveal the doorbell. Only then is the
 * message accepted. Whether the answer to the transaction was lost makes no
 * difference: find sees that the message is there.
 */
proctype sender(byte m) {
end:	if
	:: atomic { m == START || exists -> fresh[m] = exists; /* taking */
#if MUTANT != 1               /* 1: the doorbell is put after the message */
		put(m)
#endif
	   }
	fi;
write:
	if
	:: atomic { (m == START && !exists) || fresh[m] ->
#if MUTANT != 2               /* 2: a message does not change the row */
		changeRow;
#endif
		fresh[m] = false; exists = true; inbox[m] = true; promises }
	/* A conflict: find and renew, or give up. */
	:: atomic { m != START && !fresh[m] ->
#if MUTANT == 3               /* 3: somebody looks for the doorbell before the row is read again */
		if :: bell[m] != HIDDEN -> put(m) :: else fi };
	   atomic { fresh[m] = true;
#elif MUTANT == 1 || MUTANT == 4 /* 4: nobody looks whether the doorbell is still there */
		fresh[m] = true;
#else
		fresh[m] = true; if :: bell[m] != HIDDEN -> put(m) :: else fi;
#endif
		goto write }
	:: atomic { m != START && !fresh[m] -> remove(m, HIDDEN); promises; goto dead } /* errBusy */
	:: goto dead
	fi;
	/* reveal: if somebody received the doorbell, there is a new one. */
	if
	:: atomic { true -> bell[m] = RINGS; relied[m] = false; owed[m] = !recorded[m]; promises }
	:: skip
	fi;
dead:
	atomic { fresh[m] = false; leave(m, HIDDEN); if :: m == START -> starting = false :: else fi }
}

/* Of two doorbells that say the same, one goes at once: that on which no write relies. */
#if MUTANT != 5               /* 5: of two doorbells that say the same, the one goes on which a write may rely */
#define second(a, b)   bell[a] == id && bell[b] == id && !relied[a]
#else
#define second(a, b)   bell[a] == id && bell[b] == id && relied[a] && !relied[b]
#endif

/* Doorbells that are answered go, or the worker dies before. */
#define answer(m) if :: bell[m] == id -> bell[m] = ABSENT; relied[m] = false :: bell[m] == id -> bell[m] = RINGS :: else fi
#define answerAll answer(0); answer(1); answer(2)

/* The first of the doorbells in hand. */
#define first if :: bell[0] == id -> m = 0 :: bell[0] != id && bell[1] == id -> m = 1 :: bell[0] != id && bell[1] != id -> m = 2 fi

/*
 * A worker answers doorbells: it reads the row and the inbox, makes a turn, commits
 * it guarded by the ETag, and only then deletes the doorbells. Without a cause it
 * looks again, and changes the row before a doorbell goes on which a write may
 * rely.
 *
 * One that dies begins again as another process. One that stands still may lose
 * its doorbells to the other, and goes on.
 */
proctype worker(byte id) {
#if MUTANT == 2 || MUTANT == 7 || MUTANT == 8
	bool loaded[3];
#define read loaded[0] = inbox[0]; loaded[1] = inbox[1]; loaded[2] = inbox[2]; fresh[id] = true
#else
#define loaded inbox          /* with another, the ETag would not match */
#define read fresh[id] = true
#endif
	byte m;
idle:
end:	if
	:: atomic { bell[0] == RINGS || bell[1] == RINGS || bell[2] == RINGS -> /* dequeue, addDistinct */
		do
		:: bell[0] == RINGS -> bell[0] = id
		:: bell[1] == RINGS -> bell[1] = id
		:: bell[2] == RINGS -> bell[2] = id
		:: bell[0] == id || bell[1] == id || bell[2] == id -> break
		od;
		do
		:: second(0, 1) || second(0, 2) -> answer(0)
		:: second(1, 0) || second(1, 2) -> answer(1)
		:: second(2, 0) || second(2, 1) -> answer(2)
		:: else -> break
		od;
		fresh[id] = false; promises }
	/* It looks for a cause that is not modelled. */
	:: atomic { exists && !fresh[id] -> read; if :: waits :: else -> goto idle fi }
	/* An event, or another cause, for a worker that has the instance in memory. */
	:: atomic { fresh[id] -> assert(inTurn); changeRow; fresh[id] = true; goto idle }
	:: atomic { fresh[id] -> fresh[id] = false; goto idle }
	fi;
turn:
	if
	/* Load, the first time or because of a conflict. */
	:: atomic { !fresh[id] && exists && waits -> read;
#if MUTANT == 6               /* 6: doorbells are deleted before the commit */
		answerAll; promises;
#endif
		goto turn }
	:: atomic { !fresh[id] && (!exists || !waits) -> skip }
	/* Commit. */
#if MUTANT != 7               /* 7: the ETag is not compared */
	:: atomic { fresh[id] ->
#else
	:: atomic { loaded[0] || loaded[1] || loaded[2] ->
#endif
		changeRow; fresh[id] = true;
		m = 0;
		do
		:: m < 3 && loaded[m] -> recorded[m]++; owed[m] = false;
#if MUTANT != 8               /* 8: the inbox is not consumed in the transaction */
			inbox[m] = false;
#endif
			m++
		:: m < 3 && !loaded[m] -> m++
		:: m == 3 -> break
		od;
		m = 0; promises;
#if MUTANT == 8
	   };
	   atomic {
		inbox[0] = inbox[0] && !loaded[0]; inbox[1] = inbox[1] && !loaded[1]; inbox[2] = inbox[2] && !loaded[2];
#endif
		if
		:: fresh[id] = false; goto turn /* the answer is lost, and the turn made again */
		:: answerAll; promises; goto idle /* finish */
		fi }
	:: goto dead
	fi;
look:
	/* lookForCause, of one doorbell after the other; fresh if there was none. */
	if
	:: atomic { bell[0] != id && bell[1] != id && bell[2] != id -> fresh[id] = false; goto idle }
	:: atomic { !fresh[id] && (bell[0] == id || bell[1] == id || bell[2] == id) -> first;
		if
		:: !exists && starting -> /* too young: its cause may be about to be */
#if MUTANT != 9               /* 9: a doorbell is deleted although its instance may be about to be */
			leave(m, id)
#else
			answer(m)
#endif
		:: !exists && !starting -> answer(m)
		:: exists && waits -> leave(m, id) /* reveal */
		:: exists && !waits && !relied[m] -> answer(m)
		:: exists && !waits && relied[m] -> fresh[id] = true
		fi;
		m = 0; promises; goto look }
	:: atomic { fresh[id] && (bell[0] == id || bell[1] == id || bell[2] == id) -> first;
#if MUTANT != 10              /* 10: a doorbell goes without a change of the row */
		changeRow; /* fence */
#endif
		fresh[id] = false; answer(m); m = 0; promises; goto look }
	:: goto dead
	fi;
dead:
	atomic { leave(0, id); leave(1, id); leave(2, id); fresh[id] = false; goto idle }
}

/* A lease is over: a doorbell that somebody has rings. */
active proctype clock() {
end:	do
	:: atomic { bell[0] > RINGS -> bell[0] = RINGS }
	:: atomic { bell[1] > RINGS -> bell[1] = RINGS }
	:: atomic { bell[2] > RINGS -> bell[2] = RINGS }
	od
}

init {
	atomic {
		run sender(0); run sender(1); run sender(2);
		run worker(WORKER); run worker(WORKER + 1)
	}
}
