"""Work that must happen is a row before it is a message: RIGHTS-7, CHANGE-3."""
